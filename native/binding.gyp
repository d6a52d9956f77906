# One file for everything that is compiled from C++. scripts/native.mjs drives it twice over: with node-gyp for the
# addon, and with gyp alone (no Node headers, which keeps `core` honest) for the sanitizer and fuzzer builds of core.
{
  'variables': {
    'sanitize%': '',  # address (with undefined), thread or undefined
    'fuzz%': 0,       # 1: libFuzzer with address, needs clang
    'werror%': 0,
    'points%': 0,     # 1: tests can stop or kill a rank between two steps (core/points)
  },
  'target_defaults': {
    'include_dirs': ['.'],
    'cflags': ['-g', '-pthread', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags!': ['-Wno-unused-parameter'],
    # Node's defaults forbid exceptions and RTTI; core throws std::system_error at set-up.
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    # No contraction to FMA: the same bits on every instruction set.
    'cflags_cc': ['-std=c++20', '-fexceptions', '-frtti', '-ffp-contract=off', '-Wnon-virtual-dtor',
                  # g++ 12 sees overlaps in std::string that are not there (GCC bug 105651).
                  '-Wno-restrict'],
    'ldflags': ['-pthread'],
    'conditions': [
      ['werror==1', {'cflags': ['-Werror']}],
      ['points==1', {'defines': ['ONECOPY_POINTS']}],
      ['sanitize=="" and fuzz==0', {'cflags': ['-O3']}],
      # Below, -g1: lines are what reports name, and compiling takes a third less time.
      ['sanitize=="address"', {
        'cflags': ['-O1', '-g1', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all',
                   # It opens a pipe for each look at an exception's type; tests run without descriptors to spare.
                   '-fno-sanitize=vptr'],
        'ldflags': ['-fsanitize=address,undefined'],
      }],
      ['sanitize=="undefined"', {
        'cflags': ['-O1', '-fno-omit-frame-pointer', '-fsanitize=undefined', '-fno-sanitize-recover=all', '-fno-sanitize=vptr'],
        'ldflags': ['-fsanitize=undefined'],
      }],
      ['sanitize=="thread"', {
        'cflags': ['-O1', '-g1', '-fno-omit-frame-pointer', '-fsanitize=thread'],
        'ldflags': ['-fsanitize=thread'],
      }],
      ['fuzz==1', {
        'cflags': ['-O1', '-fno-omit-frame-pointer', '-fsanitize=fuzzer-no-link,address,undefined', '-fno-sanitize-recover=all'],
        'ldflags': ['-fsanitize=fuzzer,address,undefined'],
      }],
    ],
  },
  'targets': [
    {
      'target_name': 'core',
      'type': 'static_library',
      'sources': ['<!@(find core -name "*.cc" | LC_ALL=C sort)'],
    },
    {
      'target_name': 'onecopy',
      'type': 'loadable_module',
      'product_extension': 'node',
      'product_prefix': '',
      'dependencies': ['core'],
      'sources': ['<!@(find addon -name "*.cc" | LC_ALL=C sort)'],
      'defines': [
        'NAPI_VERSION=9',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
      ],
      # System headers, so that our warnings are about our code.
      'cflags_cc': ['-isystem', '<!(node -p "path.resolve(require(\'node-addon-api\').include_dir)")'],
      'ldflags': ['-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL'],
    },
    {
      'target_name': 'core_tests',
      'type': 'executable',
      'dependencies': ['core'],
      'sources': ['<!@(find test -name "*.cc" | LC_ALL=C sort)'],
    },
  ],
  'conditions': [
    ['fuzz==1', {
      'targets': [
        {
          'target_name': 'core_fuzz',
          'type': 'executable',
          'dependencies': ['core'],
          'sources': ['<!@(find fuzz -name "*.cc" | LC_ALL=C sort)'],
        },
      ],
    }],
  ],
}
