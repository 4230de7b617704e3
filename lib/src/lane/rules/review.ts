import type { Rule, RuleFinding } from './rule.ts';

const ALLOW = 'review.allow';

const signOffsAreDistinct: Rule = {
  reads: [ALLOW],
  check({ review }) {
    const first = new Map<string, number>();
    const findings: RuleFinding[] = [];
    for (const [index, { risk, object, path }] of review.allow.entries()) {
      const id = JSON.stringify([risk, object, path ?? '']);
      const earlier = first.get(id);
      if (earlier === undefined) first.set(id, index);
      else {
        findings.push({
          message: `${ALLOW}[${index}] signs off the same risk, object and path as ${ALLOW}[${earlier}]: ${risk} of ${object}${path ?? ''}`,
          hint: 'Keep one of the two entries.',
          paths: [`${ALLOW}[${index}]`, `${ALLOW}[${earlier}]`],
        });
      }
    }
    return findings;
  },
};

const daysExist: Rule = {
  reads: [ALLOW],
  check({ review }) {
    return review.allow.flatMap(({ expires }, index): RuleFinding[] => {
      const [year = 0, month = 0, day = 0] = expires.split('-').map(Number);
      const last = daysIn(year, month);
      if (day <= last) return [];
      return [
        {
          code: 'lane-value',
          message: `${ALLOW}[${index}].expires must be a day of the calendar, found ${expires}: this month has ${last} days`,
          paths: [`${ALLOW}[${index}].expires`],
        },
      ];
    });
  },
};

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

export const reviewRules: readonly Rule[] = [signOffsAreDistinct, daysExist];
