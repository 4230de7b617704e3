import { formatLanePath } from '../lane-path.ts';
import { compareQuantities } from '../quantity.ts';
import type { Rule } from './rule.ts';

const RESOURCES = ['deployment', 'manager', 'resources'];

const requestsAreWithinLimits: Rule = {
  reads: ['deployment.manager.resources.requests', 'deployment.manager.resources.limits'],
  check({ deployment }) {
    const { requests, limits } = deployment.manager.resources;
    const limitOf: Readonly<Record<string, unknown>> = limits;
    return Object.entries(requests).flatMap(([name, request]: [string, unknown]) => {
      const limit = Object.hasOwn(limitOf, name) ? limitOf[name] : undefined;
      if (!isAmount(request) || !isAmount(limit) || compareQuantities(request, limit) <= 0) return [];
      const path = formatLanePath([...RESOURCES, 'requests', name]);
      const limitPath = formatLanePath([...RESOURCES, 'limits', name]);
      return [
        {
          message: `${path} must be at most ${limitPath}, found ${request} and ${limit}`,
          paths: [path, limitPath] as const,
        },
      ];
    });
  },
};

const isAmount = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

/** The map is open for what Kubernetes knows; what it does not know would vanish in the rendered container. */
const fieldsAreKnown: Rule = {
  reads: ['deployment.manager.resources'],
  check({ deployment }) {
    return Object.keys(deployment.manager.resources)
      .filter((name) => !['requests', 'limits', 'claims'].includes(name))
      .map((name) => {
        const path = formatLanePath([...RESOURCES, name]);
        return {
          code: 'lane-unknown-field' as const,
          message: `${path} is no field of a container's resources, which are requests, limits and claims`,
          paths: [path] as const,
          at: 'key' as const,
        };
      });
  },
};

export const resourceRules: readonly Rule[] = [requestsAreWithinLimits, fieldsAreKnown];
