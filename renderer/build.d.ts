interface ImportMetaEnv {
  /** The version of the build, from package.json. */
  readonly TEAHOUSE_VERSION: string;
}
