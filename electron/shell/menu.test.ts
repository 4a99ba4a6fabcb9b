import { describe, expect, it } from 'vitest';
import { menuTemplate } from './menu.ts';

const rolesOf = (isDevelopment: boolean, platform: NodeJS.Platform = 'linux') =>
  JSON.stringify(menuTemplate({ platform, isDevelopment }));

describe('the menu', () => {
  it('has developer tools only in development', () => {
    expect(rolesOf(true)).toContain('toggleDevTools');
    expect(rolesOf(false)).not.toMatch(/DevTools|eload/);
  });

  it('keeps editing, zoom and quitting at hand', () => {
    expect(rolesOf(false)).toMatch(/quit.*editMenu.*zoomIn.*windowMenu/);
    expect(rolesOf(false, 'darwin')).toContain('appMenu');
  });
});
