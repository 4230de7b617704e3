import { Quantity, type ResourceRequirements } from 'cdk8s-plus-28/lib/imports/k8s.js';

type Amounts = Readonly<Record<string, string | number>>;

const quantities = (amounts: Amounts): Record<string, Quantity> =>
  Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [
      name,
      typeof amount === 'number' ? Quantity.fromNumber(amount) : Quantity.fromString(amount),
    ]),
  );

/** ResourceRequirements with plain amounts turned into the quantities that the typed classes want. */
export function resourceRequirements(resources: {
  requests: Amounts;
  limits: Amounts;
  [field: string]: unknown;
}): ResourceRequirements {
  const { requests, limits, ...rest } = resources;
  return { ...rest, requests: quantities(requests), limits: quantities(limits) };
}
