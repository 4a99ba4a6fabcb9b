import fc from 'fast-check';
import * as files from 'node:fs';
import { mkdtempSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SettingsStore } from './settings.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  path = join(folder, 'new', 'settings.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const state = { x: 1, y: 2, width: 800, height: 600, maximised: false };

describe('SettingsStore', () => {
  it('begins with nothing known and no file', () => {
    expect(new SettingsStore(path, files).current).toEqual({
      version: 1,
      serverOrigin: null,
      firstServerOrigin: null,
      window: null,
    });
    expect(existsSync(path)).toBe(false);
  });

  it('keeps what it is given for the next start, for this user alone', () => {
    const store = new SettingsStore(path, files);
    store.update({ serverOrigin: 'https://tea.example.org' });
    store.update({ window: state });
    expect(new SettingsStore(path, files).current).toEqual({
      version: 1,
      serverOrigin: 'https://tea.example.org',
      firstServerOrigin: null,
      window: state,
    });
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['settings.json']);
  });

  it('never forgets the first server, also of a file from before it was noted', () => {
    const store = new SettingsStore(path, files);
    store.update({ window: state });
    writeFileSync(path, JSON.stringify({ version: 1, serverOrigin: 'https://tea.example.org', window: null }));
    const next = new SettingsStore(path, files);
    next.update({ serverOrigin: 'https://other.example.org' });
    expect(new SettingsStore(path, files).current).toMatchObject({
      serverOrigin: 'https://other.example.org',
      firstServerOrigin: 'https://tea.example.org',
    });
  });

  it('refuses what does not match its schema, and keeps what was', () => {
    const store = new SettingsStore(path, files);
    store.update({ serverOrigin: 'https://tea.example.org' });
    expect(() => store.update({ serverOrigin: 'http://tea.example.org' })).toThrow();
    expect(() => store.update({ window: { ...state, width: 0 } })).toThrow();
    expect(store.current.serverOrigin).toBe('https://tea.example.org');
    expect(new SettingsStore(path, files).current).toEqual(store.current);
  });

  it('leaves the old file whole when writing the new one fails', () => {
    const store = new SettingsStore(path, files);
    store.update({ serverOrigin: 'https://tea.example.org' });
    const full = {
      ...files,
      writeFileSync: (file: string) => {
        writeFileSync(file, '{"version":1,"serv');
        throw new Error('ENOSPC');
      },
    };
    const failing = new SettingsStore(path, full);
    expect(() => failing.update({ serverOrigin: 'https://other.example.org' })).toThrow('ENOSPC');
    expect(failing.current.serverOrigin).toBe('https://tea.example.org');
    expect(new SettingsStore(path, files).current.serverOrigin).toBe('https://tea.example.org');
  });

  it.each([
    '',
    'null',
    '{',
    '[]',
    '{"version":2}',
    '{"version":1,"serverOrigin":"http://tea.example.org","window":null}',
  ])('puts a file aside that holds %j', (text) => {
    files.mkdirSync(join(path, '..'));
    writeFileSync(path, text);
    expect(new SettingsStore(path, files).current.serverOrigin).toBeNull();
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe(text);
  });

  it('starts with any file at all', () => {
    files.mkdirSync(join(path, '..'));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        writeFileSync(path, text);
        expect(new SettingsStore(path, files).current.version).toBe(1);
      }),
    );
  });
});
