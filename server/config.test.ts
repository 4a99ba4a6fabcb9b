import fc from 'fast-check';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, configWarnings, readConfig } from './config.ts';

describe('readConfig', () => {
  it('starts calm: this machine only, embedded database, in ./data', () => {
    const config = readConfig([], {});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8420, databaseUrl: undefined, dataDir: resolve('data') });
    expect(config.media).toEqual({
      listenIp: '127.0.0.1',
      port: undefined,
      announcedAddress: undefined,
      workers: undefined,
    });
  });

  it('takes flags before the environment, and takes empty as not set', () => {
    const config = readConfig(['--port', '9001', '--host', '0.0.0.0'], {
      TEAHOUSE_PORT: '9000',
      TEAHOUSE_ORGANISATION: '',
    });
    expect(config).toMatchObject({ port: 9001, organisation: 'Teahouse' });
    expect(config.media.listenIp).toBe('0.0.0.0');
  });

  it('reads what it is given', () => {
    const config = readConfig([], {
      TEAHOUSE_ORIGIN: 'https://teahouse.example.org/',
      TEAHOUSE_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      DATABASE_URL: 'postgres://u:p@db/teahouse',
      TEAHOUSE_MEDIA_WORKERS: '0',
    });
    expect(config.origin).toBe('https://teahouse.example.org');
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
    expect(config.databaseUrl).toBe('postgres://u:p@db/teahouse');
    expect(config.media.workers).toBe(0);
  });

  it.each([
    [{ TEAHOUSE_PORT: 'http' }, '--port (or TEAHOUSE_PORT)'],
    [{ TEAHOUSE_PORT: '65536' }, 'from 0 to 65535'],
    [{ TEAHOUSE_ORIGIN: 'teahouse.example.org' }, 'https://teahouse.example.org'],
    [{ TEAHOUSE_ORIGIN: 'https://teahouse.example.org/chat' }, 'nothing after'],
    [{ DATABASE_URL: 'mysql://secret@db' }, 'postgres://'],
    [{ TEAHOUSE_TRUSTED_PROXIES: '10.0.0.0/33' }, '10.0.0.0/8'],
    [{ TEAHOUSE_LOG_LEVEL: 'loud' }, 'trace, debug'],
    [{ TEAHOUSE_METRICS_TOKEN: 'short' }, 'at least 16'],
    [{ TEAHOUSE_MEDIA_HOST: 'here' }, 'IP address'],
  ])('says which setting is wrong and what it should be: %j', (env, words) => {
    expect(() => readConfig([], env)).toThrow(ConfigError);
    expect(() => readConfig([], env)).toThrow(words);
    expect(() => readConfig([], env)).not.toThrow('secret');
  });

  it('names all that is wrong at once, and the flags where one is unknown', () => {
    expect(() => readConfig([], { TEAHOUSE_PORT: 'x', TEAHOUSE_LOG_LEVEL: 'x' })).toThrow(
      /TEAHOUSE_PORT[^]*TEAHOUSE_LOG_LEVEL/,
    );
    expect(() => readConfig(['--prot', '1'], {})).toThrow(/Known flags: .*--port/);
  });

  it('answers every text with a configuration or a ConfigError', () => {
    const names = [
      'TEAHOUSE_PORT',
      'TEAHOUSE_ORIGIN',
      'TEAHOUSE_TRUSTED_PROXIES',
      'DATABASE_URL',
      'TEAHOUSE_MEDIA_WORKERS',
    ];
    const env = fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof(fc.string(), fc.webUrl(), fc.ipV4(), fc.nat().map(String)),
    );
    fc.assert(
      fc.property(env, (given) => {
        try {
          expect(readConfig([], given).port).toBeTypeOf('number');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
  });
});

it('warns of an https origin without a trusted proxy, and of nothing else', () => {
  const warningsOf = (env: Record<string, string>) => configWarnings(readConfig([], env));
  expect(warningsOf({})).toEqual([]);
  expect(warningsOf({ TEAHOUSE_ORIGIN: 'http://tea.example' })).toEqual([]);
  const https = { TEAHOUSE_ORIGIN: 'https://tea.example' };
  expect(warningsOf(https)).toEqual([expect.stringContaining('TEAHOUSE_TRUSTED_PROXIES')]);
  expect(warningsOf({ ...https, TEAHOUSE_TRUSTED_PROXIES: '127.0.0.1/32' })).toEqual([]);
});
