import {
  addCommand,
  closeRun,
  endCommand,
  endedBy,
  giveBack,
  holds,
  lastOutcome,
  lose,
  type ModelCommand,
  type Op,
  open,
  type Result,
  type RunModel,
  rejectSteer,
  rejectSteers,
  settle,
  type Writer,
} from './run-model.ts';

/** What the model says of one operation, done by itself: the run after it, and the answer. */
export function step(before: RunModel, op: Op): { readonly run: RunModel; readonly result: Result } {
  const run = structuredClone(before);
  const result = apply(run, op);
  if (result === 'lease-fenced') run.fenced += 1;
  return { run, result };
}

function apply(run: RunModel, op: Op): Result {
  switch (op.kind) {
    case 'register':
      if (run.terminal !== null) return 'already-terminal';
      run.attempts.push(null);
      return 'ok';
    case 'expire':
      run.live = false;
      return 'ok';
    case 'takeOver':
      if (run.terminal === null && run.attempt !== null && !run.live) lose(run);
      return 'ok';
    case 'claim':
      return claim(run, op);
    case 'cancelRun':
      return cancelRun(run);
    case 'cancelCommand':
      return cancelCommand(run, run.commands[op.command - 1]);
    case 'turn':
      if (run.terminal !== null || run.status === 'cancelling') return 'already-terminal';
      addCommand(run, { type: 'turn', target: null, ifTurnEnded: 'reject' });
      return 'ok';
    case 'steer':
      return steer(run, op.ifTurnEnded);
    default:
      return write(run, op);
  }
}

function claim(run: RunModel, { attempt, runner }: Extract<Op, { kind: 'claim' }>): Result {
  const isOwn = run.attempt === attempt;
  const isOver = run.attempts[attempt] !== null;
  if (isOver && !isOwn) return 'lease-fenced';
  if (run.terminal !== null) return 'already-terminal';
  if (isOver) return 'lease-fenced';
  if (run.live && !(isOwn && run.holder === runner)) return 'runner-lease-conflict';
  if (!isOwn && run.attempt !== null) lose(run);
  if (run.terminal !== null) return 'already-terminal';
  run.epoch += 1;
  run.attempt = attempt;
  run.holder = runner;
  run.live = true;
  run.producerSeq = 0;
  if (run.status === 'pending') run.status = 'claimed';
  return 'ok';
}

function cancelRun(run: RunModel): Result {
  if (run.terminal !== null || run.cancelRequested) return 'ok';
  run.cancelRequested = true;
  // A holder whose lease ran out may still be alive.
  if (run.holder === null) {
    closeRun(run, 'cancelled', 'cancelled', true);
    return 'ok';
  }
  run.status = 'cancelling';
  for (const command of open(run)) if (command.state === 'pending') endCommand(run, command, 'cancelled');
  return 'ok';
}

function cancelCommand(run: RunModel, command: ModelCommand | undefined): Result {
  if (command === undefined) return 'not-found';
  if (command.terminal !== null || command.cancelRequested) return 'ok';
  if (command.type === 'steer' && command.state === 'acknowledged') return 'conflict';
  command.cancelRequested = true;
  if (command.state === 'pending') {
    rejectSteers(run, command);
    endCommand(run, command, 'cancelled');
  }
  return 'ok';
}

function steer(run: RunModel, ifTurnEnded: 'turn' | 'reject'): Result {
  if (run.terminal !== null || run.status === 'cancelling') return 'already-terminal';
  const turn = run.commands.findIndex(({ type, state }) => type === 'turn' && state === 'acknowledged');
  if (turn >= 0) addCommand(run, { type: 'steer', target: turn + 1, ifTurnEnded });
  else if (ifTurnEnded === 'turn') addCommand(run, { type: 'turn', target: null, ifTurnEnded: 'reject' });
  else return 'conflict';
  return 'ok';
}

type Write = Extract<Op, { by: Writer }>;

/** A runner's write: only the holder's changes anything. Its own reports may be repeated when they ended the run. */
function write(run: RunModel, op: Write): Result {
  if (op.kind === 'release' && run.attempts[op.by.attempt] === op.by.epoch) return 'ok';
  if (!holds(run, op.by)) {
    const mayRepeat = op.kind !== 'ack' && op.kind !== 'append';
    return mayRepeat && endedBy(run, op.by) ? 'ok' : 'lease-fenced';
  }
  switch (op.kind) {
    case 'beat':
      return run.holder === op.runner ? 'ok' : 'forbidden';
    case 'poll':
      return 'ok';
    case 'ack':
      return acknowledge(run, run.commands[op.command - 1]);
    case 'report':
      return report(run, run.commands[op.command - 1], op.status);
    case 'finish':
      if (!run.cancelRequested && op.status === 'completed' && open(run).length > 0) return 'commands-pending';
      closeRun(
        run,
        run.cancelRequested ? 'cancelled' : op.status,
        run.cancelRequested ? 'cancelled' : op.status,
        false,
      );
      return 'ok';
    case 'release':
      return release(run, op);
    default:
      return append(run, op);
  }
}

function acknowledge(run: RunModel, command: ModelCommand | undefined): Result {
  if (command === undefined) return 'not-found';
  if (command.state === 'acknowledged') return 'ok';
  if (command.state === 'ended') return 'already-terminal';
  const isTaken = open(run).some(({ type, state }) => type === 'turn' && state === 'acknowledged');
  if (command.type === 'turn' && isTaken) return 'conflict';
  command.state = 'acknowledged';
  command.told = false;
  if (command.type === 'turn' && run.status === 'claimed') run.status = 'running';
  return 'ok';
}

function report(run: RunModel, command: ModelCommand | undefined, status: 'completed' | 'failed'): Result {
  if (command === undefined) return 'not-found';
  if (command.terminal !== null) return 'ok';
  if (command.type === 'steer') {
    if (status === 'failed') rejectSteer(run, command);
    else endCommand(run, command, status);
    return 'ok';
  }
  const wasTaken = command.state === 'acknowledged';
  if (!run.oneShot) rejectSteers(run, command);
  endCommand(run, command, status);
  if (run.oneShot && !run.cancelRequested) closeRun(run, status, 'cancelled', false);
  else if (wasTaken && run.status === 'running') run.status = 'claimed';
  return 'ok';
}

function release(run: RunModel, { by, reason }: Extract<Op, { kind: 'release' }>): Result {
  if (reason === 'idle' && !run.cancelRequested && open(run).length > 0) return 'commands-pending';
  const endedTurn = settle(run);
  const last = lastOutcome(run);
  if (run.cancelRequested) closeRun(run, 'cancelled', 'cancelled', false);
  else if (last !== null && (open(run).length === 0 || (run.oneShot && endedTurn))) {
    closeRun(run, last, 'cancelled', false);
  } else {
    run.attempts[by.attempt] = by.epoch;
    giveBack(run, false);
  }
  return 'ok';
}

function append(run: RunModel, { count, producerSeq, command }: Extract<Op, { kind: 'append' }>): Result {
  const known = producerSeq === null ? 0 : run.producerSeq - (producerSeq - 1);
  if (known < 0) return 'event-gap';
  const stored = Math.max(0, count - known);
  run.producerSeq += stored;
  run.stored += stored;
  const told = command === null ? undefined : run.commands[command - 1];
  if (stored > 0 && told?.state === 'acknowledged') told.told = true;
  return 'ok';
}
