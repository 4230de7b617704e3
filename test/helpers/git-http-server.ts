import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { type GitRemote, isolatedGitEnvironment } from './git-remote.ts';

export interface GitHttpServer {
  /** URL of the repository, without credentials. */
  readonly url: string;
  /** The same with credentials in front of the host. */
  urlWith(userInfo: string): string;
  /** Number of requests so far. */
  requests(): number;
  close(): Promise<void>;
}

export interface GitHttpOptions {
  /** "user:password" that every request must carry. */
  readonly credentials?: string;
  /** Whether the server speaks protocol 2, in which every commit may be asked for by its id. Default true. */
  readonly protocol2?: boolean;
  /** Number of requests that get a 503 first. Default 0. */
  readonly unavailable?: number;
  /** Leave every request open, without an answer. */
  readonly stall?: boolean;
}

function answerWithBackend(remote: GitRemote, request: IncomingMessage, response: ServerResponse, protocol2: boolean) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...isolatedGitEnvironment(),
      GIT_PROJECT_ROOT: dirname(remote.dir),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      ...(protocol2 ? { GIT_PROTOCOL: String(request.headers['git-protocol'] ?? '') } : {}),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    for (const line of output.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
}

/** Serves a repository over HTTP on a free port of this machine, by git's own http-backend. */
export async function serveGit(remote: GitRemote, options: GitHttpOptions = {}): Promise<GitHttpServer> {
  let count = 0;
  const expected = `Basic ${Buffer.from(options.credentials ?? '').toString('base64')}`;
  const server = createServer((request, response) => {
    count += 1;
    if (options.stall === true) return;
    if (count <= (options.unavailable ?? 0)) response.writeHead(503).end();
    else if (options.credentials !== undefined && request.headers.authorization !== expected)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    else answerWithBackend(remote, request, response, options.protocol2 ?? true);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/remote.git`,
    urlWith: (userInfo) => `http://${userInfo}@127.0.0.1:${port}/remote.git`,
    requests: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
