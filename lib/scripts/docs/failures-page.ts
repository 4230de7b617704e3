import { FAILURE_KINDS, type FailureKind, type FailureRule } from '../../src/contract/failure-kinds.ts';
import { code, page, pageHead, table } from './markdown.ts';

const INTRO = `A request that is refused, a run that ends badly and a command that ends badly carry the same word, \`failureKind\`. The list
is closed. "Again" says whether the same thing, tried again without a change, can succeed.`;

/** The page of failure kinds. */
export async function failuresPage(): Promise<string> {
  const kinds = Object.entries(FAILURE_KINDS) as [FailureKind, FailureRule][];
  return page([
    ...pageHead('How things fail', 'lib/src/contract/failure-kinds.ts'),
    INTRO,
    '',
    ...table(
      ['failureKind', 'HTTP', 'ends as', 'again', 'Next step'],
      kinds.map(([kind, { httpStatus, terminalStatus, retryable, nextStep }]) => [
        code(kind),
        httpStatus === null ? '' : String(httpStatus),
        terminalStatus ?? '',
        retryable ? 'yes' : '',
        nextStep,
      ]),
    ),
    '',
  ]);
}
