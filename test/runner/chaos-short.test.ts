import { chaosSuite } from '../chaos/chaos-suite.ts';

chaosSuite('the short form', { kills: 1, awayMs: [5000], cancels: 50, steers: 300, lanes: 5 });
