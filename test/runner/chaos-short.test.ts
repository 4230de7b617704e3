import { chaosSuite } from '../chaos/chaos-suite.ts';

chaosSuite('the short form', { kills: 1, awayMs: [5000], cancels: 20, steers: 100, lanes: 5 });
