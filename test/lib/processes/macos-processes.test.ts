import { describe, expect, it } from 'vitest';
import { parseProcessList } from '../../../lib/src/processes/macos-processes.ts';

const MARK = 'AGENTRUN_ATTEMPT_ID=att_1';
const head = (pid: number, stat = 'S') => `${pid}     1 ${pid} ${stat}    Fri Nov 20 07:05:09 2026     `;
const PLAIN = [
  `  ${head(501)}/usr/local/bin/node /opt/runner.js --x ${MARK}`,
  `${head(502)}/bin/zsh -l`,
  `${head(503, 'Z')}(node)`,
  `${head(504)}/Applications/Some App.app/Contents/MacOS/app`,
  '',
].join('\n');

describe('the processes of macOS', () => {
  it('are read from ps', () => {
    expect(parseProcessList(PLAIN, null, '')[0]).toEqual({
      pid: 501,
      ppid: 1,
      pgid: 501,
      sid: null,
      startTime: 'Fri Nov 20 07:05:09 2026',
      ended: false,
      command: 'node',
      marked: false,
    });
    expect(parseProcessList(PLAIN, null, '').map(({ pid, ended }) => [pid, ended])).toEqual([
      [501, false],
      [502, false],
      [503, true],
      [504, false],
    ]);
  });

  it('are marked by their environment, never by their arguments', () => {
    const lines = PLAIN.split('\n');
    const full = [`${lines[0]} HOME=/h`, `${lines[1]} HOME=/h ${MARK} TERM=x`, lines[2], `${lines[3]} ${MARK}2`].join(
      '\n',
    );
    const marked = parseProcessList(PLAIN, full, MARK).filter((entry) => entry.marked);
    expect(marked.map(({ pid }) => pid)).toEqual([502]);
  });

  it('are not marked when the two lists speak of different processes', () => {
    const other = `${head(501).replace('07:05', '07:06')}/usr/local/bin/node ${MARK}`;
    expect(parseProcessList(PLAIN, other, MARK).filter((entry) => entry.marked)).toEqual([]);
  });
});
