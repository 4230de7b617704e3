import { chaosSuite } from './chaos-suite.ts';

chaosSuite('the long form', { kills: 20, awayMs: [60_000, 1000], cancels: 500, steers: 5000, lanes: 8 });
