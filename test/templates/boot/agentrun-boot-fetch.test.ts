import { execFileSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootPlace, bootableFiles, booted, createBootPlace } from '../../helpers/boot.ts';
import { type GitHttpOptions, type GitHttpServer, serveGit } from '../../helpers/git-http-server.ts';

let place: BootPlace;
let old: string;
let tip: string;
let homes = 0;

beforeAll(async () => {
  place = await createBootPlace();
  old = await place.remote.commit(bootableFiles('old'));
  tip = await place.remote.commit(bootableFiles('tip'));
});
afterAll(() => place.remove());

const freshHome = (): Promise<string> => {
  homes += 1;
  return place.folder(`home-${homes}`);
};

async function served<T>(options: GitHttpOptions, use: (server: GitHttpServer) => Promise<T>): Promise<T> {
  const server = await serveGit(place.remote, options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

describe('fetching the commit', () => {
  it('asks for the one commit, without its history', async () => {
    const home = await freshHome();
    expect(booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: tip })).revision).toBe('tip');
    const kept = { GIT_OBJECT_DIRECTORY: `${home}/.agentrun-boot/objects-${tip}` };
    const objects = execFileSync('git', ['cat-file', '--batch-all-objects', '--batch-check'], {
      cwd: place.remote.dir,
      env: { ...process.env, ...kept },
    }).toString();
    expect(objects).toContain(`${tip} commit`);
    expect(objects).not.toContain(old);
  });

  it('takes everything from a server that gives no commit by its id', async () => {
    await served({ protocol2: false }, async (server) => {
      const settings = { AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: old };
      const result = await place.boot({ ...settings, HOME: await freshHome() });
      expect(booted(result).revision).toBe('old');
      expect(result.stderr).toContain('does not give this commit by its id: fetching all branches and tags\n');
    });
  });

  it.each([true, false])('says that the repository lacks the commit (protocol 2: %s)', async (protocol2) => {
    await served({ protocol2 }, async (server) => {
      const commit = '0123456789abcdef0123456789abcdef01234567';
      const settings = { AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: commit };
      const result = await place.boot({ ...settings, HOME: await freshHome() });
      expect(result).toMatchObject({ code: 4, stdout: '' });
      expect(result.stderr).toContain(
        `error: could not fetch commit ${commit} from ${server.url} in 5 tries. Last reason: no branch or tag of the repository holds the commit\n`,
      );
    });
  });

  it('tries five times, then says what was last', async () => {
    await served({ unavailable: 1000 }, async (server) => {
      const settings = { AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: tip };
      const result = await place.boot({ ...settings, HOME: await freshHome() });
      expect(result.code).toBe(4);
      expect(server.requests()).toBe(5);
      for (const number of [1, 2, 3, 4]) expect(result.stderr).toContain(`try ${number} of 5 to fetch commit ${tip}`);
      expect(result.stderr).toMatch(/error: could not fetch commit .* in 5 tries\. Last reason: .*503/);
    });
  });

  it('goes on when the server comes back', async () => {
    await served({ unavailable: 2 }, async (server) => {
      const settings = { AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: tip };
      const result = await place.boot({ ...settings, HOME: await freshHome() });
      expect(booted(result).revision).toBe('tip');
      expect(result.stderr.match(/try \d of 5/g)).toEqual(['try 1 of 5', 'try 2 of 5']);
    });
  });

  it('doubles the wait after each try', async () => {
    await served({ unavailable: 2 }, async (server) => {
      const settings = { AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: tip };
      const begin = performance.now();
      const result = await place.boot({
        ...settings,
        HOME: await freshHome(),
        AGENTRUN_BOOT_RETRY_SECONDS: '1',
      });
      expect(performance.now() - begin).toBeGreaterThan(3000);
      expect(result.stderr).toMatch(/next try in 1 s\n[^]*next try in 2 s\n/);
    });
  });

  it('says when nobody listens', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, '127.0.0.1', resolve);
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const settings = { AGENTRUN_BOOT_REPO_URL: `http://127.0.0.1:${port}/remote.git`, AGENTRUN_BOOT_COMMIT: tip };
    const result = await place.boot({ ...settings, HOME: await freshHome() });
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/in 5 tries\. Last reason: .*(refused|connect)/i);
  });
});

describe('credentials in the URL', () => {
  const searchIn = (folder: string, text: string) =>
    execFileSync('sh', ['-c', 'grep -rlaF -- "$1" "$2" || :', 'sh', text, folder]).toString();

  it('are used, but neither printed nor kept', async () => {
    await served({ credentials: 'robot:s3cret-pass' }, async (server) => {
      const home = await freshHome();
      const url = `${server.urlWith('robot:s3cret-pass')}?token=t0ken-value`;
      const refused = await place.boot({ HOME: home, AGENTRUN_BOOT_REPO_URL: url, AGENTRUN_BOOT_COMMIT: tip });
      // git appends its own path to the query: whatever comes of it, the token stays out of the log.
      expect(refused.stderr).not.toMatch(/t0ken|s3cret|robot/);

      const settings = { AGENTRUN_BOOT_REPO_URL: server.urlWith('robot:s3cret-pass'), AGENTRUN_BOOT_COMMIT: tip };
      const result = await place.boot({ HOME: home, ...settings });
      expect(booted(result).revision).toBe('tip');
      expect(result.stderr).toContain(`fetching commit ${tip} from http://***@127.0.0.1:`);
      expect(result.stderr).not.toMatch(/s3cret|robot/);
      expect(searchIn(home, 's3cret-pass')).toBe('');
    });
  });

  it.each(['robot:wr0ng%40pass', 'robot'])(
    'that the server refuses end the boot at the first try (%s)',
    async (user) => {
      await served({ credentials: 'robot:s3cret-pass' }, async (server) => {
        const settings = { AGENTRUN_BOOT_REPO_URL: server.urlWith(user), AGENTRUN_BOOT_COMMIT: tip };
        const result = await place.boot({ ...settings, HOME: await freshHome() });
        expect(result.code).toBe(4);
        expect(result.stderr).toMatch(
          /error: http:\/\/\*\*\*@127\.0\.0\.1:\d+\/remote\.git does not let us read commit/,
        );
        expect(result.stderr).not.toMatch(/robot|wr0ng|try \d of/);
      });
    },
  );

  it('stay hidden when the URL is misspelt', async () => {
    for (const url of ['http://robot:wr0ng@pass@127.0.0.1:1/x.git', 'http://robot:wr0ng/pass@127.0.0.1:1/x.git']) {
      const settings = { AGENTRUN_BOOT_REPO_URL: url, AGENTRUN_BOOT_COMMIT: tip, HOME: await freshHome() };
      const result = await place.boot(settings);
      expect(result.code).toBe(4);
      expect(result.stderr).toContain(`could not fetch commit ${tip} from http://***@127.0.0.1:1/x.git in 5 tries`);
      expect(result.stderr).not.toMatch(/wr0ng|pass|robot/);
    }
  });
});
