import { environmentNameRules } from './environment-names.ts';
import { environmentValueRules } from './environment-values.ts';
import { gitopsRules } from './gitops.ts';
import { localPostgresRules } from './local-postgres.ts';
import { managerAddressRules } from './manager-address.ts';
import { nameRules } from './names.ts';
import { networkRules } from './network.ts';
import { renderedPathRules } from './rendered-paths.ts';
import { resourceRules } from './resources.ts';
import { reviewRules } from './review.ts';
import type { Rule } from './rule.ts';
import { selectorRules } from './selectors.ts';
import { timingRules } from './timing.ts';

/** Every rule about one lane; the order has no meaning. Secrets (`secrets.ts`) are looked for apart, in any value. */
export const LANE_RULES: readonly Rule[] = [
  ...gitopsRules,
  ...managerAddressRules,
  ...localPostgresRules,
  ...nameRules,
  ...timingRules,
  ...selectorRules,
  ...resourceRules,
  ...renderedPathRules,
  ...networkRules,
  ...environmentNameRules,
  ...environmentValueRules,
  ...reviewRules,
];
