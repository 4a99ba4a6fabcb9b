import { describe, expect, it, vi } from 'vitest';
import { joinDeepLink, resetDeepLink } from '../../protocol/ipc/server-address.ts';
import { deepLinkIn, DeepLinks } from './deep-links.ts';

const OURS = 'https://tea.example.org';
const OTHER = 'https://other.example.org';
const FIRST = 'a'.repeat(43);
const SECOND = 'b'.repeat(43);

function setUp(present: string | null, agrees: boolean | Promise<boolean> = true) {
  const confirmServer = vi.fn(async (_wanted: string, _present: string | null) => agrees);
  const setServer = vi.fn(async (_origin: string) => {});
  const announce = vi.fn();
  const links = new DeepLinks({ serverOrigin: () => present, confirmServer, setServer, announce });
  return { links, confirmServer, setServer, announce };
}

describe('deepLinkIn', () => {
  it('finds the link among the arguments of a program', () => {
    const link = joinDeepLink(OURS, FIRST);
    expect(deepLinkIn(['/opt/teahouse', '--flag', link])).toEqual({ origin: OURS, invitation: FIRST, reset: null });
  });

  it('finds none in other arguments or a broken link', () => {
    expect(deepLinkIn(['/opt/teahouse', 'https://tea.example.org/#/join/x'])).toBeNull();
    expect(deepLinkIn(['/opt/teahouse', 'teahouse://join'])).toBeNull();
    expect(deepLinkIn([])).toBeNull();
  });
});

describe('DeepLinks', () => {
  it('hands an invitation of our server over once, without a question', async () => {
    const { links, confirmServer, announce, setServer } = setUp(OURS);
    await links.open({ origin: OURS, invitation: FIRST, reset: null });
    expect(announce).toHaveBeenCalledOnce();
    expect(links.take().invitation).toBe(FIRST);
    expect(links.take()).toEqual({ invitation: null, reset: null });
    expect(confirmServer).not.toHaveBeenCalled();
    expect(setServer).not.toHaveBeenCalled();
  });

  it('changes the server only if the person agrees', async () => {
    const first = setUp(null);
    await first.links.open({ origin: OURS, invitation: FIRST, reset: null });
    expect(first.confirmServer).toHaveBeenCalledWith(OURS, null);
    expect(first.setServer).toHaveBeenCalledWith(OURS);
    // The page that is there is about to go: the next one takes it.
    expect(first.announce).not.toHaveBeenCalled();
    expect(first.links.take().invitation).toBe(FIRST);

    const refused = setUp(OURS, false);
    await refused.links.open({ origin: OTHER, invitation: FIRST, reset: null });
    expect(refused.confirmServer).toHaveBeenCalledWith(OTHER, OURS);
    expect(refused.setServer).not.toHaveBeenCalled();
    expect(refused.links.take()).toEqual({ invitation: null, reset: null });
  });

  it('asks before a link to a new password leads to another server, and hands it over once', async () => {
    const address = deepLinkIn(['/opt/teahouse', resetDeepLink(OTHER, FIRST)])!;
    const refused = setUp(OURS, false);
    await refused.links.open(address);
    expect(refused.confirmServer).toHaveBeenCalledWith(OTHER, OURS);
    expect(refused.links.take()).toEqual({ invitation: null, reset: null });

    const agreed = setUp(OURS);
    await agreed.links.open(address);
    expect(agreed.setServer).toHaveBeenCalledWith(OTHER);
    expect(agreed.links.take()).toEqual({ invitation: null, reset: FIRST });
    expect(agreed.links.take()).toEqual({ invitation: null, reset: null });
  });

  it('asks one question at a time, and can ask again after', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { links, confirmServer } = setUp(OURS, promise);
    const opened = links.open({ origin: OTHER, invitation: FIRST, reset: null });
    await links.open({ origin: OTHER, invitation: SECOND, reset: null });
    expect(confirmServer).toHaveBeenCalledOnce();
    resolve(false);
    await opened;
    await links.open({ origin: OTHER, invitation: SECOND, reset: null });
    expect(confirmServer).toHaveBeenCalledTimes(2);
  });

  it('can ask again after a dialog that failed', async () => {
    const { links, confirmServer } = setUp(null);
    confirmServer.mockRejectedValueOnce(new Error('no display'));
    await expect(links.open({ origin: OURS, invitation: FIRST, reset: null })).rejects.toThrow('no display');
    await links.open({ origin: OURS, invitation: SECOND, reset: null });
    expect(links.take().invitation).toBe(SECOND);
  });
});
