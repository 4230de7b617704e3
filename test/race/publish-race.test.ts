import { it } from 'vitest';
import { runRace } from '../helpers/publish-race.ts';

it('16 publishers that come at once, as files, all land', () =>
  runRace({ publishers: 16, rounds: 1, transport: 'file' }));

it('16 publishers that publish 20 times each to one branch, as files, all land and lose nothing', () =>
  runRace({ publishers: 16, rounds: 20, transport: 'file' }));

it('16 publishers that publish 20 times each to one branch, over http, all land and lose nothing', () =>
  runRace({ publishers: 16, rounds: 20, transport: 'http' }));
