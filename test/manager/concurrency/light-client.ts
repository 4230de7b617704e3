import { Agent, request as send } from 'node:http';
import { type Answer, type ManagerClient, managerClient } from '../../helpers/manager-client.ts';

/** A client whose requests cost little, for tests that make thousands; its connections are kept. */
export function lightClient(url: string, key: string, connections: number): ManagerClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    ...managerClient(url, key),
    request: <T>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      new Promise<Answer<T>>((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const sent = send(
          `${url}${path.startsWith('/') ? path : `/api/v1/${path}`}`,
          {
            agent,
            method,
            headers: {
              authorization: `Bearer ${key}`,
              ...(text === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
              ...headers,
            },
          },
          (response) => {
            let all = '';
            response.setEncoding('utf8');
            response.on('data', (part: string) => {
              all += part;
            });
            response.once('error', reject);
            response.once('end', () => {
              const answer = JSON.parse(all) as Omit<Answer<T>, 'status' | 'headers'>;
              const told = Object.entries(response.headers).map(([name, value]): [string, string] => [
                name,
                String(value),
              ]);
              resolve({ ...answer, status: response.statusCode ?? 0, headers: new Headers(told) });
            });
          },
        );
        sent.once('error', reject);
        sent.end(text);
      }),
  };
}
