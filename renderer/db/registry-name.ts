/** The database that is opened first. Apart from Dexie, so that the window can ask for it without loading all that. */
export const REGISTRY_NAME = 'teahouse';

/** Whether this device has ever stored anything. True where that cannot be told. */
export async function hasRegistry(factory: IDBFactory): Promise<boolean> {
  try {
    return (await factory.databases()).some(({ name }) => name === REGISTRY_NAME);
  } catch {
    return true;
  }
}
