/** The scheme that serves the bundled interface. Never file://, whose pages may read each other's files. */
export const APP_SCHEME = 'app';
export const APP_HOST = 'teahouse';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;

/** Where the interface comes from, and how to tell one of its pages from everything else. */
export interface AppPage {
  /** What the window loads. */
  readonly url: string;
  /** Whether this address belongs to the interface. False for anything that is no address at all. */
  owns(url: string): boolean;
}

/**
 * The interface of an installed app, or, while developing, the one that the development server gives.
 * @param devServer - An http address on this machine; only ever passed by an app that is not packaged.
 */
export function createAppPage(devServer: string | null): AppPage {
  if (devServer === null) {
    return {
      url: `${APP_ORIGIN}/index.html`,
      // Node gives every scheme that is not the web's the origin "null", so the parts are compared.
      owns: (url) => {
        const { protocol, host, username, password } = parse(url);
        return protocol === `${APP_SCHEME}:` && host === APP_HOST && username === '' && password === '';
      },
    };
  }
  const { origin, hostname } = new URL(devServer);
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    throw new Error('ELECTRON_RENDERER_URL must be on this machine.');
  }
  return { url: `${origin}/`, owns: (url) => parse(url).origin === origin };
}

function parse(url: string): Pick<URL, 'protocol' | 'host' | 'username' | 'password' | 'origin'> {
  return URL.parse(url) ?? { protocol: '', host: '', username: '', password: '', origin: '' };
}
