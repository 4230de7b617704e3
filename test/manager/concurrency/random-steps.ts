import fc from 'fast-check';
import { findViolations } from '../../../manager/src/store/doctor.ts';
import { step } from './model-step.ts';
import { expected, faultsOf, observe, type Seen } from './observe-run.ts';
import { newModel, type Op, type Result, type RunModel, type Writer } from './run-model.ts';
import { type RealRun, type RunSystem, resultOf, type Services } from './run-system.ts';

/** An operation as it is drawn: numbers that become an attempt, a runner, a command when it is known what there is. */
interface Drawn {
  readonly kind: Op['kind'];
  readonly attempt: number;
  readonly runner: number;
  readonly command: number;
  readonly option: number;
}

type Weights = Readonly<Record<Op['kind'], number>>;

const WEIGHTS: Weights = {
  claim: 6,
  beat: 3,
  poll: 3,
  expire: 2,
  takeOver: 2,
  cancelRun: 1,
  cancelCommand: 1,
  steer: 4,
  turn: 4,
  ack: 7,
  report: 8,
  append: 7,
  finish: 3,
  release: 2,
  register: 1,
};

const SMALL = fc.nat({ max: 7 });
const drawn = (weights: Weights): fc.Arbitrary<Drawn> =>
  fc.record({
    kind: fc.oneof(
      ...(Object.entries(weights) as [Op['kind'], number][]).map(([kind, weight]) => ({
        weight,
        arbitrary: fc.constant(kind),
      })),
    ),
    attempt: SMALL,
    runner: SMALL,
    command: SMALL,
    option: SMALL,
  });

/** What is done to one run. */
export interface Steps {
  /** Whether a runner has taken up the turn already. */
  readonly begun: boolean;
  readonly oneShot: boolean;
  readonly maxAttempts: number;
  /** The operations of a batch are done at the same time. */
  readonly batches: readonly (readonly Drawn[])[];
}

const mostly = (value: boolean) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constant(!value) });

/** Steps in which some operations come more often than they do by default. */
export function steps(more: Partial<Weights> = {}): fc.Arbitrary<Steps> {
  return fc.record({
    begun: mostly(true),
    oneShot: fc.nat({ max: 2 }).map((third) => third === 0),
    maxAttempts: fc.integer({ min: 2, max: 4 }),
    batches: fc.array(fc.array(drawn({ ...WEIGHTS, ...more }), { minLength: 1, maxLength: 3 }), {
      minLength: 6,
      maxLength: 16,
    }),
  });
}

const RUNNERS = ['runner_a', 'runner_b'];
const MOST_ATTEMPTS = 4;

interface Someone {
  readonly attempt: number;
  readonly runner: string;
  readonly by: Writer;
}

function someRunner(run: RealRun, drawn: Drawn): Someone {
  const attempt = drawn.attempt % run.attempts.length;
  const runner = RUNNERS[drawn.runner % RUNNERS.length] ?? '';
  return { attempt, runner, by: { attempt, epoch: run.granted.get(`${attempt}.${runner}`) ?? 0 } };
}

/** Who claimed last: the holder, if anybody holds the run. */
function lastClaimer(run: RealRun): Someone {
  const [name, epoch] = [...run.granted].sort(([, a], [, b]) => b - a)[0] ?? ['0.runner_a', 0];
  const [attempt = '0', runner = ''] = name.split('.');
  return { attempt: Number(attempt), runner, by: { attempt: Number(attempt), epoch } };
}

const claimOf = ({ attempt, runner }: Someone): Op => ({ kind: 'claim', attempt, runner });

/** Draws a real operation; undefined when there is nothing that it could be done to. */
function resolve(run: RealRun, model: RunModel, drawn: Drawn): Op | undefined {
  const { runner, by } = drawn.attempt < 5 ? lastClaimer(run) : someRunner(run, drawn);
  // Mostly one that is open: those that have ended answer everything alike.
  const openOnes = model.commands.flatMap(({ terminal }, at) => (terminal === null ? [at + 1] : []));
  const some = 1 + (drawn.command % Math.max(1, run.commands.length));
  const command = drawn.command < 6 ? (openOnes[drawn.command % Math.max(1, openOnes.length)] ?? some) : some;
  const isOdd = drawn.option % 2 === 1;
  const { kind } = drawn;
  switch (kind) {
    case 'register':
      return run.attempts.length < MOST_ATTEMPTS ? { kind } : undefined;
    case 'claim':
      return claimOf(someRunner(run, drawn));
    case 'steer':
      return { kind, ifTurnEnded: isOdd ? 'turn' : 'reject' };
    case 'cancelCommand':
      return { kind, command };
    case 'beat':
      return { kind, by, runner };
    case 'poll':
      return { kind, by };
    case 'ack':
      return { kind, by, command };
    case 'report':
      return { kind, by, command, status: drawn.option < 6 ? 'completed' : 'failed' };
    case 'finish':
      return { kind, by, status: isOdd ? 'completed' : 'failed' };
    case 'release':
      return { kind, by, reason: isOdd ? 'drain' : 'idle' };
    case 'append': {
      const distance = drawn.option - 3;
      const producerSeq = drawn.option > 5 ? null : Math.max(1, model.producerSeq + 1 + Math.min(distance, 1));
      return {
        kind,
        by,
        count: 1 + (drawn.runner % 3),
        producerSeq,
        command: drawn.command % 3 === 0 ? null : command,
      };
    }
    default:
      return { kind };
  }
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

const text = (seen: Seen, { epoch = false }: Blind) => JSON.stringify(epoch ? { ...seen, epoch: 0 } : seen);

/**
 * Some order of the operations, one after the other, must explain every answer and the run after them. Several may, and
 * differ in what does not show yet: all that may be true are kept.
 */
function explain(
  models: readonly RunModel[],
  ops: readonly Op[],
  results: readonly Result[],
  seen: string,
  blind: Blind,
): RunModel[] {
  const found = new Map<string, RunModel>();
  const ordered = orders(ops.map((op, at) => ({ op, result: results[at] })));
  for (const model of models) {
    for (const order of ordered) {
      let run = model;
      const fits = order.every(({ op, result }) => {
        const next = step(run, op);
        run = next.run;
        return next.result === result;
      });
      if (fits && text(expected(run), blind) === seen) found.set(JSON.stringify(run), run);
    }
  }
  return [...found.values()];
}

/** A new run in a session of its own, with a turn and two attempts. */
export type NewRun = (policy: { readonly oneShot: boolean; readonly maxAttempts: number }) => Promise<RealRun>;

/** What may be left out of the comparison, so that a fault is found by its harm and not by a number. */
export interface Blind {
  readonly epoch?: boolean;
}

/**
 * Does the steps to a new run, and holds every answer and every state against the model.
 *
 * @throws Error that tells the first step that the model cannot explain, or what a rule of the doctor found.
 */
export async function check(
  services: Services,
  system: RunSystem,
  newRun: NewRun,
  { begun, oneShot, maxAttempts, batches }: Steps,
  blind: Blind = {},
): Promise<void> {
  const run = await newRun({ oneShot, maxAttempts });
  let first = newModel({ oneShot, maxAttempts });
  for (const op of [{ kind: 'turn' }, { kind: 'register' }, { kind: 'register' }] as const) first = step(first, op).run;
  const trial: Trial = { services, system, run, blind, models: [first], told: [] };
  const by = { attempt: 0, epoch: 1 };
  const begin: Op[] = [
    { kind: 'claim', attempt: 0, runner: 'runner_a' },
    { kind: 'ack', by, command: 1 },
  ];
  try {
    for (const op of begun ? begin : []) await together(trial, [op]);
    for (const batch of batches) {
      const model = trial.models[0] ?? first;
      await together(
        trial,
        batch.map((each) => resolve(run, model, each)).filter((op) => op !== undefined),
      );
    }
    // Whatever was left open comes to an end by a cancel and a takeover, and is consistent to the last.
    for (const kind of ['cancelRun', 'expire', 'takeOver'] as const) await together(trial, [{ kind }]);
    if (trial.models.some(({ terminal }) => terminal === null)) throw new Error('the run did not come to its end');
  } finally {
    await services.pool.query('DELETE FROM agentrun_runs WHERE id = $1', [run.runId]);
    await services.pool.query('DELETE FROM agentrun_sessions WHERE session_id = $1', [run.sessionId]);
  }
}

interface Trial {
  readonly services: Services;
  readonly system: RunSystem;
  readonly run: RealRun;
  readonly blind: Blind;
  /** All that the run may be, after what was answered and seen so far. */
  models: RunModel[];
  readonly told: string[];
}

/** How often each operation was done, so that it shows when one of them is never accepted. */
export const done = new Map<Op['kind'], { accepted: number; refused: number }>();

async function together(trial: Trial, ops: readonly Op[]): Promise<void> {
  const { services, system, run, blind, models, told } = trial;
  const results = await Promise.all(ops.map((op) => resultOf(system.perform(run, op))));
  for (const [at, { kind }] of ops.entries()) {
    const tally = done.get(kind) ?? { accepted: 0, refused: 0 };
    tally[results[at] === 'ok' ? 'accepted' : 'refused'] += 1;
    done.set(kind, tally);
  }
  told.push(ops.map((op, at) => `${JSON.stringify(op)} -> ${results[at]}`).join('\n  + '));
  const seen = await observe(services, run);
  trial.models = explain(models, ops, results, text(seen, blind), blind);
  if (trial.models.length === 0) {
    const before = models.map((model) => JSON.stringify(expected(model)));
    const after = models.map((model) => JSON.stringify(expected(ops.reduce((now, op) => step(now, op).run, model))));
    throw new Error(
      `the model cannot explain the last step\n  ${told.join('\n  ')}\n` +
        `before:     ${before.join('\n            ')}\none by one: ${after.join('\n            ')}\n` +
        `observed:   ${JSON.stringify(seen)}`,
    );
  }
  const faults = [
    ...(await faultsOf(services, run)),
    // A lease that the test ended is looked at by nobody here.
    ...(await findViolations(services.pool, 3_600_000, 3_600_000)).map(({ rule, message }) => `${rule}: ${message}`),
  ];
  if (faults.length > 0) throw new Error(`${faults.join('; ')}\n  ${told.join('\n  ')}`);
}
