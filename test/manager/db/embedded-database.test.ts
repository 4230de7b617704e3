import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { query } from './embedded-scenes.ts';

const databases: TestDatabase[] = [];
const make = async (options = {}) => {
  const database = await testDatabase(options);
  databases.push(database);
  return database;
};
afterAll(() => Promise.all(databases.map((database) => database.drop())));

test('each test database is a copy of its own, in UTF-8 and sorted by code point', async () => {
  const [one, other] = await Promise.all([make(), make()]);
  await query(one.url, 'CREATE TABLE only_here (id int)');
  expect(await query(other.url, `SELECT to_regclass('only_here') AS found`)).toEqual([{ found: null }]);
  expect(
    await query(one.url, `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate FROM pg_database LIMIT 1`),
  ).toEqual([{ encoding: 'UTF8', datcollate: 'C' }]);
});

test('a database is dropped although somebody is connected', async () => {
  const database = await make({ empty: true });
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await database.drop();
  await expect(query(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  await client.end().catch(() => undefined);
});
