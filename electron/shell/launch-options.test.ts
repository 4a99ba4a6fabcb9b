import { describe, expect, it } from 'vitest';
import { LaunchOptionsError, readLaunchOptions } from './launch-options.ts';

const server = (argv: string[], environment: Record<string, string> = {}) =>
  readLaunchOptions(['electron', '.', ...argv], environment, true).serverOrigin;

describe('readLaunchOptions', () => {
  it('knows nothing by default', () => {
    expect(readLaunchOptions([], {}, false)).toEqual({ serverOrigin: null, devServer: null });
    expect(server([], { TEAHOUSE_SERVER: '' })).toBeNull();
  });

  it('takes the server from the argument before the environment', () => {
    const environment = { TEAHOUSE_SERVER: 'https://tea.example.org/' };
    expect(server([], environment)).toBe('https://tea.example.org');
    expect(server(['--server=http://127.0.0.1:8443'], environment)).toBe('http://127.0.0.1:8443');
    expect(server(['--server=https://a.example', '--server=https://b.example'])).toBe('https://b.example');
  });

  it('takes no server from a command line that also holds a deep link', () => {
    expect(server(['--server=https://evil.example', 'TeaHouse://join#x'])).toBeNull();
  });

  it.each(['tea.example.org', 'http://tea.example.org', 'https://tea.example.org/chat', 'nonsense'])(
    'refuses %s, and says what to do without repeating it',
    (text) => {
      expect(() => server([`--server=${text}`])).toThrow(LaunchOptionsError);
      expect(() => server([`--server=${text}`])).toThrow(/^The server must be given as https:\/\/host/);
    },
  );

  it('takes the interface from elsewhere only in development', () => {
    const environment = { ELECTRON_RENDERER_URL: 'http://localhost:5173' };
    expect(readLaunchOptions([], environment, false).devServer).toBe('http://localhost:5173');
    expect(readLaunchOptions([], environment, true).devServer).toBeNull();
  });
});
