import { it } from 'vitest';
import { runRace } from '../../helpers/publish-race.ts';

// The full races are those of `npm run test:race`.
it(
  '8 publishers that publish 5 times each to one branch, as files, all land and lose nothing',
  { timeout: 240_000 },
  () => runRace({ publishers: 8, rounds: 5, transport: 'file' }),
);

it(
  '6 publishers that publish 3 times each to one branch, over http, all land and lose nothing',
  { timeout: 240_000 },
  () => runRace({ publishers: 6, rounds: 3, transport: 'http' }),
);
