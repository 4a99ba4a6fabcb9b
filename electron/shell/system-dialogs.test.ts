import { describe, expect, it } from 'vitest';
import { AGREED, confirmServerDialog } from './system-dialogs.ts';

const OURS = 'https://teahouse.example';
const OTHER = 'https://other.example';

describe('the question whether to connect', () => {
  it('names what cancelling keeps, and that connecting changes it', () => {
    const { buttons, defaultId, cancelId } = confirmServerDialog(OTHER, OURS);
    expect(buttons).toEqual([`Stay with ${OURS}`, 'Connect instead']);
    expect(buttons?.[AGREED]).toBe('Connect instead');
    expect([defaultId, cancelId]).toEqual([0, 0]);
  });

  it('has nothing to stay with at the first time', () => {
    expect(confirmServerDialog(OURS, null).buttons).toEqual(['Cancel', 'Connect']);
  });
});
