/** A Kubernetes quantity, exactly: `digits` times ten to the power of `exponent`. */
interface Quantity {
  readonly digits: bigint;
  readonly exponent: bigint;
}

const FORM = /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;
const POWER_OF_TEN: Readonly<Record<string, bigint>> = {
  n: -9n,
  u: -6n,
  m: -3n,
  k: 3n,
  M: 6n,
  G: 9n,
  T: 12n,
  P: 15n,
  E: 18n,
};
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

function parse(text: string): Quantity | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, sign, number = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  let digits = BigInt(whole + fraction);
  let exponent = BigInt(-fraction.length);
  const binary = BINARY.indexOf(suffix);
  if (binary >= 0) digits *= 1024n ** BigInt(binary + 1);
  else if (/^[eE][+-]?[0-9]/.test(suffix)) exponent += BigInt(suffix.slice(1).replace('+', ''));
  else exponent += POWER_OF_TEN[suffix] ?? 0n;
  return { digits: sign === '-' ? -digits : digits, exponent };
}

/** Whether the text, or the number, is a Kubernetes quantity. */
export function isQuantity(value: string | number): boolean {
  return parse(String(value)) !== undefined;
}

/**
 * Compares two Kubernetes quantities without rounding: negative when `a` is less, 0 when they are equal, positive when
 * `a` is more. Throws a RangeError when one of them is not a quantity.
 */
export function compareQuantities(a: string | number, b: string | number): -1 | 0 | 1 {
  const left = parse(String(a));
  const right = parse(String(b));
  if (left === undefined || right === undefined) {
    throw new RangeError(`not a quantity: ${JSON.stringify(left === undefined ? a : b)}`);
  }
  if (left.digits <= 0n || right.digits <= 0n || magnitude(left) === magnitude(right))
    return compareExactly(left, right);
  return magnitude(left) < magnitude(right) ? -1 : 1;
}

/** The power of ten just above a positive quantity. Comparing it first keeps `1e999999999` from being written out. */
function magnitude({ digits, exponent }: Quantity): bigint {
  return BigInt(digits.toString().length) + exponent;
}

function compareExactly(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const signA = sign(a.digits);
  const signB = sign(b.digits);
  if (signA !== signB || signA === 0) return order(BigInt(signA), BigInt(signB));
  if (signA < 0) return compareExactly(negated(b), negated(a));
  if (magnitude(a) !== magnitude(b)) return order(magnitude(a), magnitude(b));
  const least = a.exponent < b.exponent ? a.exponent : b.exponent;
  return order(a.digits * 10n ** (a.exponent - least), b.digits * 10n ** (b.exponent - least));
}

const sign = (value: bigint) => (value < 0n ? -1 : value > 0n ? 1 : 0);
const negated = ({ digits, exponent }: Quantity): Quantity => ({ digits: -digits, exponent });
const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
