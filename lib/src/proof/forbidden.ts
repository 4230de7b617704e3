import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Thrown by whatever a renderer must not touch. */
export class ForbiddenUse extends Error {
  readonly what: string;
  constructor(what: string) {
    super(`the renderer used ${what}`);
    this.what = what;
  }
}

/** cdk8s asks for this one on its way; our writer sorts keys itself, so that the answer changes nothing. */
const ALLOWED_VARIABLES = new Set<string | symbol>(['CDK8S_DISABLE_SORT']);

type Functions = Record<string, unknown>;

const RANDOM = ['randomBytes', 'randomUUID', 'randomInt', 'randomFillSync', 'randomFill', 'getRandomValues'];
const LOCALE = [
  'toLocaleString',
  'toLocaleLowerCase',
  'toLocaleUpperCase',
  'toLocaleDateString',
  'toLocaleTimeString',
  'localeCompare',
];

/**
 * Runs a function while the clock, randomness, locale functions, files and the environment throw {@link ForbiddenUse},
 * even where the caller catches it: the first use is thrown again at the end. For a process of its own: what runs
 * beside it meets the same.
 */
export function withForbidden<T>(work: () => T): T {
  const undo: (() => void)[] = [];
  let first: ForbiddenUse | undefined;
  const refuse = (what: string) => {
    first ??= new ForbiddenUse(what);
    throw first;
  };
  const replace = (owner: object, key: string, what: string) => {
    const former = Object.getOwnPropertyDescriptor(owner, key);
    if (former?.configurable !== true) return;
    const refusal = () => refuse(what);
    // Called, constructed, or asked for a function of its own such as hrtime.bigint.
    const value = new Proxy(function forbidden() {}, { apply: refusal, construct: refusal, get: refusal });
    Object.defineProperty(owner, key, { configurable: true, writable: true, value });
    undo.push(() => Object.defineProperty(owner, key, former));
  };

  const RealDate = globalThis.Date;
  // A given time is a value like any other; only the present is not.
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[]) =>
      args.length === 0 ? refuse('the clock (new Date)') : (Reflect.construct(target, args) as object),
    apply: () => refuse('the clock (Date())'),
    get: (target, key, receiver): unknown =>
      key === 'now' ? () => refuse('the clock (Date.now)') : Reflect.get(target, key, receiver),
  });
  undo.push(() => {
    globalThis.Date = RealDate;
  });
  replace(Math, 'random', 'a random number (Math.random)');
  replace(performance, 'now', 'the clock (performance.now)');
  replace(Object.getPrototypeOf(performance) as object, 'now', 'the clock (performance.now)');
  replace(process, 'hrtime', 'the clock (process.hrtime)');
  replace(process, 'cwd', 'the working directory (process.cwd)');
  for (const key of RANDOM) {
    replace(crypto as unknown as Functions, key, `a random number (crypto.${key})`);
    replace(Object.getPrototypeOf(globalThis.crypto) as object, key, `a random number (crypto.${key})`);
  }
  for (const owner of [String, Number, Array, Date, BigInt, Object] as const) {
    for (const key of LOCALE) replace(owner.prototype as object, key, `the locale (${key})`);
  }
  for (const key of Object.keys(Object.getOwnPropertyDescriptors(Intl))) replace(Intl, key, `the locale (Intl.${key})`);
  for (const owner of [fs, fs.promises] as unknown as Functions[]) {
    for (const key of Object.keys(owner)) {
      if (typeof owner[key] === 'function' && /^[a-z]/.test(key)) replace(owner, key, `the file system (fs.${key})`);
    }
  }
  syncBuiltinESMExports();
  const environment = process.env;
  process.env = new Proxy(environment, {
    get: (target, key) =>
      ALLOWED_VARIABLES.has(key) ? target[key as string] : refuse(`the environment (${String(key)})`),
    has: (_target, key) => refuse(`the environment (${String(key)})`),
    ownKeys: () => refuse('the environment'),
    getOwnPropertyDescriptor: (_target, key) => refuse(`the environment (${String(key)})`),
  });
  undo.push(() => {
    process.env = environment;
  });

  try {
    const result = work();
    if (first !== undefined) throw first;
    return result;
  } finally {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  }
}
