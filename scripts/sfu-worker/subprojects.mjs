/**
 * What stands in for each library that mediasoup's build would download: a Meson subproject of the same name that
 * answers with the installed library under the variables and options mediasoup's `meson.build` asks for.
 *
 * @type {readonly { name: string, build: string, options?: string }[]}
 */
export const SUBPROJECTS = [
  {
    name: 'libuv',
    build: `project('libuv', 'c')
libuv_dep = dependency('libuv')
libuv = []
`,
    options: `option('build_tests', type: 'boolean')
option('build_benchmarks', type: 'boolean')
`,
  },
  {
    name: 'openssl',
    build: `project('openssl', 'c')
openssl_dep = dependency('openssl')
libcrypto_lib = []
libssl_lib = []
`,
  },
  {
    name: 'flatbuffers',
    build: `project('flatbuffers', 'cpp')
flatbuffers_dep = dependency('flatbuffers')
flatbuffers_lib = []
`,
  },
  {
    name: 'abseil-cpp',
    build: `project('abseil-cpp', 'cpp')
absl_strings_dep = dependency('absl_strings')
absl_types_dep = [dependency('absl_optional'), dependency('absl_memory')]
absl_container_dep = dependency('absl_flat_hash_map')
absl_container_lib = []
`,
  },
  {
    // Debian has libsrtp 2; include/srtp/srtp.h speaks libsrtp 3 over it.
    name: 'libsrtp3',
    build: `project('libsrtp3', 'cpp')
libsrtp3_dep = declare_dependency(
  include_directories: include_directories('include'),
  dependencies: dependency('libsrtp2'),
)
libsrtp3 = []
`,
    options: `option('crypto-library', type: 'string')
option('crypto-library-kdf', type: 'string')
option('tests', type: 'string')
`,
  },
  {
    // Debian has no package of it; include/ankerl/unordered_dense.h answers with the standard library.
    name: 'unordered_dense',
    build: `project('unordered-dense', 'cpp')
ankerl_unordered_dense_dep = declare_dependency(include_directories: include_directories('include'))
`,
  },
];
