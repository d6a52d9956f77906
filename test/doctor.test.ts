// What `onecopy doctor` finds: in made-up systems, in this one, and where the copy is really refused.
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBinding } from '../native/src/load.ts';
import { CPU_QUOTA, leastLimit, MEMORY, PIDS } from '../packages/launcher/src/doctor/cgroup.ts';
import { describeCores, examineCores } from '../packages/launcher/src/doctor/cores.ts';
import type { Examination } from '../packages/launcher/src/doctor/examination.ts';
import { examineHost } from '../packages/launcher/src/doctor/host.ts';
import {
  chosenWord,
  describeHugePages,
  examineHugePages,
  hugePagesAdvice,
} from '../packages/launcher/src/doctor/huge-pages.ts';
import {
  describeInstructionSet,
  examineInstructionSet,
  instructionSetAdvice,
} from '../packages/launcher/src/doctor/instruction-set.ts';
import { isAtLeast } from '../packages/launcher/src/doctor/kernel.ts';
import { examineLimits, limitsAdvice, parseLimit } from '../packages/launcher/src/doctor/limits.ts';
import { countOfList, parseStatus } from '../packages/launcher/src/doctor/process-status.ts';
import { judgeSingleCopy, type SingleCopy } from '../packages/launcher/src/doctor/single-copy.ts';
import { softwareAdvice } from '../packages/launcher/src/doctor/software.ts';
import { systemOf } from '../packages/launcher/src/doctor/system.ts';
import { textOf } from '../packages/launcher/src/doctor/text.ts';
import { type RankFacts, runTrial } from '../packages/launcher/src/doctor/trial.ts';
import { parseYama } from '../packages/launcher/src/doctor/yama.ts';
import { Command, cli, type Outcome, runOnecopy } from './support/command.ts';
import { ordinaryUser, preload } from './support/refusal.ts';

const YAMA = '/proc/sys/kernel/yama/ptrace_scope';
const RELEASE = '/proc/sys/kernel/osrelease';
const noHost = examineHost(systemOf({}), {});

function status(overrides: Record<string, string> = {}): string {
  const fields = {
    Uid: '1000\t1000\t1000\t1000',
    Gid: '1000\t1000\t1000\t1000',
    Threads: '11',
    THP_enabled: '1',
    CapPrm: '0000000000000000',
    CapEff: '0000000000000000',
    Seccomp: '0',
    Cpus_allowed_list: '0-3,8',
    ...overrides,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('');
}

const SYS_PTRACE = { CapPrm: '0000000000080000', CapEff: '0000000000080000' };

function rank(overrides: Partial<RankFacts> = {}): RankFacts {
  return {
    rank: 0,
    correct: true,
    cmaBytes: 0,
    stagedBytes: 1000,
    hugePages: 0,
    refusedOwn: null,
    refusedPeer: null,
    dumpable: true,
    status: status(),
    userNamespace: 'user:[1]',
    pidNamespace: 'pid:[2]',
    descriptorsAlone: 20,
    descriptorsWithPeer: 22,
    ...overrides,
  };
}

const pulled = { cmaBytes: 1000, stagedBytes: 0 };

/** The judgement on two ranks that saw the same, but for what the second one has of its own. */
function judge(
  facts: Partial<RankFacts>,
  files: Record<string, string> = {},
  second: Partial<RankFacts> = {},
): SingleCopy {
  const system = systemOf(files);
  const ranks = [rank(facts), rank({ rank: 1, ...facts, ...second })] as const;
  return judgeSingleCopy(system, examineHost(system, {}), { ranks });
}

function causes(...parameters: Parameters<typeof judge>): string[] {
  const judged = judge(...parameters);
  expect(judged.verdict).toBe('refused');
  for (const { problem, cure } of judged.causes) {
    // One sentence each.
    expect(problem).toMatch(/^\S.*\.$/);
    expect(cure).toMatch(/^[A-Z].*\.$/);
  }
  return judged.causes.map(({ id }) => id);
}

describe('what the kernel writes', () => {
  test('the mode of Yama', () => {
    expect(['0\n', '1\n', '2', '3'].map(parseYama)).toEqual([0, 1, 2, 3]);
    expect([undefined, '', '4', 'x', '-1'].map(parseYama)).toEqual(Array(5).fill(undefined));
  });

  test('the status of a process', () => {
    expect(parseStatus(status({ Seccomp: '2', ...SYS_PTRACE }))).toEqual({
      seccomp: 'filter',
      ids: '1000 1000 1000 1000 1000 1000 1000 1000',
      sysPtrace: true,
      permittedCapabilities: '0000000000080000',
      allowedCpus: '0-3,8',
      threads: 11,
      hugePages: true,
    });
    expect(parseStatus(status())).toMatchObject({ seccomp: 'none', sysPtrace: false });
    // An older kernel leaves lines out.
    expect(Object.values(parseStatus('Name:\tnode\n'))).toEqual(Array(7).fill(undefined));
    expect(Object.values(parseStatus(undefined))).toEqual(Array(7).fill(undefined));
  });

  test('lists of cores', () => {
    expect(['0', '0-3', '0-3,8', '0,2,4-7'].map(countOfList)).toEqual([1, 4, 5, 6]);
    expect([undefined, '', 'all', '0-'].map(countOfList)).toEqual(Array(4).fill(undefined));
  });

  test('releases of the kernel', () => {
    expect(isAtLeast('6.1.0-18-amd64', 6, 1)).toBe(true);
    expect(isAtLeast('5.15.0', 6, 1)).toBe(false);
    expect(isAtLeast('7.0', 6, 1)).toBe(true);
    expect(isAtLeast(undefined, 6, 1)).toBeUndefined();
  });

  test('choices in brackets', () => {
    expect(chosenWord('always [madvise] never')).toBe('madvise');
    expect(chosenWord('nonsense')).toBeUndefined();
  });

  test('limits', () => {
    const text = [
      'Limit                     Soft Limit           Hard Limit           Units',
      'Max open files            1024                 524288               files',
      'Max address space         unlimited            unlimited            bytes',
    ].join('\n');
    expect(parseLimit(text, 'Max open files')).toEqual({ soft: 1024, hard: 524288 });
    expect(parseLimit(text, 'Max address space')).toEqual({ soft: 'unlimited', hard: 'unlimited' });
    expect(parseLimit(text, 'Max processes')).toEqual({ soft: undefined, hard: undefined });
    expect(parseLimit(undefined, 'Max open files')).toEqual({ soft: undefined, hard: undefined });
  });

  test('limits of cgroups: version 2, the tightest of those around this process', () => {
    const system = systemOf({
      '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw',
      '/proc/self/cgroup': '0::/user.slice/job',
      '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000',
      '/sys/fs/cgroup/user.slice/job/cpu.max': 'max 100000',
      '/sys/fs/cgroup/user.slice/memory.max': '4096',
      '/sys/fs/cgroup/user.slice/job/memory.max': '8192',
      '/sys/fs/cgroup/pids.max': 'max',
    });
    expect(leastLimit(system, CPU_QUOTA)).toBe(1.5);
    expect(leastLimit(system, MEMORY)).toBe(4096);
    expect(leastLimit(system, PIDS)).toBeUndefined();
  });

  test('limits of cgroups: version 1, seen from within a container', () => {
    const system = systemOf({
      '/proc/self/mountinfo': [
        '32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct',
        '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      ].join('\n'),
      '/proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    });
    expect(leastLimit(system, CPU_QUOTA)).toBe(0.5);
    expect(leastLimit(system, MEMORY)).toBeUndefined();
  });
});

describe('why the copy is refused', () => {
  const refused = { refusedPeer: 'EPERM' };

  test('Yama', () => {
    expect(causes(refused, { [YAMA]: '3' })).toEqual(['yama3']);
    expect(causes({ ...refused, status: status(SYS_PTRACE) }, { [YAMA]: '3' })).toEqual(['yama3']);
    expect(causes(refused, { [YAMA]: '2' })).toEqual(['yama2']);
    // It should not be the reason, but there is no better one.
    expect(causes(refused, { [YAMA]: '1' })).toEqual(['yama1']);
    expect(causes(refused, { [YAMA]: '0' })).toEqual(['refusedPeer']);
  });

  test('a seccomp filter: even a process itself is refused', () => {
    const filter = status({ Seccomp: '2' });
    for (const errno of ['EPERM', 'ENOSYS', 'EACCES']) {
      const facts = { refusedOwn: errno, refusedPeer: errno, status: filter };
      expect(causes(facts, { [YAMA]: '1' })).toEqual(['seccomp']);
      expect(judge(facts).causes[0]?.problem).toContain(errno);
    }
    // A filter that lets the call pass is not the reason.
    expect(causes({ ...refused, status: filter }, { [YAMA]: '2' })).toEqual(['yama2']);
  });

  test('in Kubernetes the cure is another one', () => {
    const host = examineHost(systemOf({}), { KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    const facts = { refusedOwn: 'EPERM', refusedPeer: 'EPERM', status: status({ Seccomp: '2' }) };
    const { causes } = judgeSingleCopy(systemOf({}), host, { ranks: [rank(facts), rank(facts)] });
    expect(causes).toMatchObject([
      { id: 'seccomp', cure: expect.stringContaining('securityContext') },
    ]);
  });

  test('a kernel without the call, and kernels that only look like Linux', () => {
    const missing = { refusedOwn: 'ENOSYS', refusedPeer: 'ENOSYS' };
    expect(causes(missing, { [RELEASE]: '6.1.0' })).toEqual(['kernel']);
    expect(judge(missing, { [RELEASE]: '6.1.0' }).causes[0]?.problem).toContain('6.1.0');
    const wsl = '/proc/version';
    expect(causes(missing, { [wsl]: 'Linux version 4.4.0-19041-Microsoft (x)' })).toContain(
      'sandbox',
    );
    expect(causes({ refusedOwn: 'EPERM', refusedPeer: 'EPERM' })).toEqual(['refusedCall']);
  });

  test('ranks that are not dumpable', () => {
    expect(causes({ ...refused, dumpable: false })).toEqual(['notDumpable']);
    expect(causes(refused, {}, { dumpable: false })).toEqual(['notDumpable']);
  });

  test('different users, capabilities and namespaces', () => {
    const other = status({ Uid: '1001\t1001\t1001\t1001' });
    expect(causes(refused, {}, { status: other })).toEqual(['ids']);
    expect(causes(refused, {}, { status: status({ CapPrm: '1' }) })).toEqual(['capabilities']);
    expect(causes(refused, {}, { userNamespace: 'user:[9]' })).toEqual(['userNamespace']);
    expect(causes({ refusedPeer: 'ESRCH' })).toEqual(['pidNamespace']);
    expect(causes(refused, {}, { pidNamespace: 'pid:[9]' })).toEqual(['pidNamespace']);
  });

  test('a security module, where nothing else is found', () => {
    const label = { '/proc/self/attr/current': 'docker-default (enforce)' };
    expect(causes(refused, label)).toEqual(['securityModule']);
    expect(causes(refused, { ...label, [YAMA]: '3' })).toEqual(['yama3']);
    expect(causes(refused, { '/proc/self/attr/current': 'unconfined' })).toEqual(['refusedPeer']);
  });

  test('several at once', () => {
    expect(causes({ ...refused, dumpable: false }, { [YAMA]: '2' })).toEqual([
      'notDumpable',
      'yama2',
    ]);
  });

  test('nothing was refused, and yet nothing was pulled', () => {
    expect(causes({})).toEqual(['unread']);
  });

  test('one direction is not enough', () => {
    expect(judge(pulled, {}, { ...refused, cmaBytes: 0, stagedBytes: 1000 })).toMatchObject({
      verdict: 'refused',
      cmaBytes: 1000,
      stagedBytes: 1000,
      error: 'EPERM',
    });
  });
});

describe('where the copy works', () => {
  test('nothing to say', () => {
    expect(judge(pulled)).toMatchObject({ verdict: 'works', causes: [], notes: [] });
    expect(judge(pulled, { [YAMA]: '0' }).notes).toEqual([]);
  });

  test('although something looks as if it would not', () => {
    const powerful = { ...pulled, status: status(SYS_PTRACE) };
    expect(judge(pulled, { [YAMA]: '1' }).notes).toEqual([
      expect.stringContaining('PR_SET_PTRACER'),
    ]);
    expect(judge(powerful, { [YAMA]: '2' }).notes).toEqual([
      expect.stringContaining('CAP_SYS_PTRACE'),
    ]);
    expect(judge({ ...powerful, dumpable: false }).notes).toEqual([
      expect.stringContaining('not dumpable'),
    ]);
    expect(judge({ ...pulled, status: status({ Seccomp: '2' }) }).notes).toEqual([
      expect.stringContaining('seccomp filter is in place'),
    ]);
  });
});

describe('no job', () => {
  test('a trial that cannot be started is a finding', async () => {
    const launch = (): never => {
      throw new Error('fork: Resource temporarily unavailable');
    };
    const trial = await runTrial({ ...loadBinding(), launch });
    const judged = judgeSingleCopy(systemOf({ [YAMA]: '1' }), noHost, trial);
    expect(judged).toMatchObject({ verdict: 'failed', yamaPtraceScope: 1 });
    expect(judged.causes[0]?.problem).toContain('fork: Resource temporarily unavailable');
  });

  test('a message that arrives changed is worse than a refusal', () => {
    expect(judge({ ...pulled, correct: false })).toMatchObject({ verdict: 'failed' });
  });
});

describe('the rest', () => {
  test('cores, and why so many', () => {
    const online = { '/sys/devices/system/cpu/online': '0-15' };
    const here = (files: Record<string, string>, usable: number | undefined) =>
      describeCores(examineCores(systemOf(files), usable));
    expect(here(online, 16)).toBe("16: all of this machine's 16");
    const masked = { ...online, '/proc/self/status': status() };
    expect(here(masked, 5)).toBe("5: the affinity mask allows 5 of this machine's 16 (0-3,8)");
    const quota = {
      ...masked,
      '/proc/self/mountinfo': '30 23 0:26 / /cg rw - cgroup2 cgroup2 rw',
      '/proc/self/cgroup': '0::/',
      '/cg/cpu.max': '150000 100000',
    };
    expect(here(quota, 2)).toContain("(0-3,8), a cgroup's quota gives the time of 1.5");
  });

  test('huge pages', () => {
    const folder = '/sys/kernel/mm/transparent_hugepage';
    const examine = (release: string, enabled: string, made: number | undefined, thp = '1') =>
      examineHugePages(
        systemOf({
          [RELEASE]: release,
          [`${folder}/enabled`]: enabled,
          [`${folder}/hpage_pmd_size`]: '2097152',
          '/proc/self/status': status({ THP_enabled: thp }),
        }),
        made,
      );
    const madvise = 'always [madvise] never';
    expect(describeHugePages(examine('6.1.0', madvise, 4))).toMatch(/^yes.*got 4 of 2 MiB/);
    expect(hugePagesAdvice(examine('6.1.0', madvise, 4))).toBeUndefined();
    expect(describeHugePages(examine('5.15.0', madvise, 0))).toMatch(/^no.*older than 6.1/);
    expect(hugePagesAdvice(examine('5.15.0', madvise, 0))?.cure).toContain('Linux 6.1');
    expect(hugePagesAdvice(examine('5.15.0', '[always] madvise never', 0))).toBeUndefined();
    expect(hugePagesAdvice(examine('6.1.0', madvise, 0, '0'))?.cure).toContain('THP_DISABLE');
    expect(hugePagesAdvice(examine('6.1.0', madvise, 0))?.cure).toContain('memory');
    expect(hugePagesAdvice(examine('6.1.0', madvise, undefined))).toBeUndefined();
  });

  test('the instruction set', () => {
    const isa = { chosen: 'avx2', supported: ['baseline', 'avx2'] };
    expect(describeInstructionSet(examineInstructionSet({ isa }, {}))).toBe(
      'avx2 of baseline, avx2',
    );
    const wish = { ONECOPY_ISA: 'baseline' };
    const wished = examineInstructionSet({ isa: { ...isa, chosen: 'baseline' } }, wish);
    expect(describeInstructionSet(wished)).toContain('as ONECOPY_ISA=baseline wishes');
    expect(instructionSetAdvice(wished)).toBeUndefined();
    const wrong = examineInstructionSet(
      { isa: { ...isa, error: 'no such set; take another' } },
      wish,
    );
    expect(instructionSetAdvice(wrong)?.problem).toBe('no such set.');
    expect(examineInstructionSet(undefined, {})).toBeUndefined();
  });

  test('how many ranks the descriptors allow', () => {
    const limits = (files: string) =>
      examineLimits(
        systemOf({ '/proc/self/limits': `Max open files            ${files}   ${files}   files` }),
        [rank({ descriptorsAlone: 24 })],
      );
    expect(limits('1024').ranksAllToAll).toBe(166);
    expect(limits('unlimited').ranksAllToAll).toBe(4096);
    expect(limits('10').ranksAllToAll).toBe(1);
    expect(limitsAdvice(limits('1024'), 11)).toEqual([]);
    expect(limitsAdvice(limits('256'), 11)).toMatchObject([{ id: 'descriptors' }]);
  });

  test('how many ranks the tasks allow', () => {
    const system = systemOf({
      '/proc/self/limits': 'Max processes            100   200   processes',
    });
    const [advice] = limitsAdvice(examineLimits(system, []), 10);
    expect(advice?.problem).toContain('about 10 ranks');
  });

  test('packages of different versions', () => {
    const software = { node: 'v20', onecopy: '1.0.0', kernel: undefined, libc: undefined };
    const packages = { onecopy: '1.0.0', '@onecopy/native': '1.0.0' };
    expect(softwareAdvice({ ...software, packages })).toBeUndefined();
    const mixed = { ...packages, '@onecopy/native': '0.9.0' };
    expect(softwareAdvice({ ...software, packages: mixed })?.problem).toContain('native 0.9.0');
  });

  test('containers and virtual machines', () => {
    expect(noHost).toEqual({});
    expect(examineHost(systemOf({ '/.dockerenv': '' }), {}).container).toBe('docker');
    expect(examineHost(systemOf({ '/run/.containerenv': '' }), {}).container).toBe('podman');
    expect(examineHost(systemOf({ '/proc/1/cgroup': '1:cpu:/lxc/x' }), {}).container).toBe('lxc');
    expect(examineHost(systemOf({}), { container: 'systemd-nspawn' }).container).toBe(
      'systemd-nspawn',
    );
    const flags = (words: string) => examineHost(systemOf({ '/proc/cpuinfo': words }), {});
    expect(flags('flags\t\t: fpu hypervisor lahf').virtualMachine).toBe(true);
    expect(flags('flags\t\t: fpu').virtualMachine).toBe(false);
  });

  test('without /proc and /sys everything is unknown, and nothing is thrown', () => {
    const nothing = systemOf({});
    const text = textOf({
      singleCopy: judge({ ...pulled, status: null, userNamespace: null, descriptorsAlone: null }),
      cores: examineCores(nothing, undefined),
      hugePages: examineHugePages(nothing, undefined),
      instructionSet: undefined,
      limits: examineLimits(nothing, []),
      software: {
        node: 'v20',
        onecopy: undefined,
        packages: {},
        kernel: undefined,
        libc: undefined,
      },
      host: noHost,
      advice: [],
    });
    expect(text).toMatch(/^Single copy works/);
    expect(text.match(/unknown/g)?.length).toBeGreaterThan(5);
    expect(text).not.toMatch(/undefined|NaN|null/);
  });
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-doctor-'));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function examinationIn(outcome: Outcome): Examination {
  expect(outcome.stderr).toBe('');
  return JSON.parse(outcome.stdout) as Examination;
}

describe('the command', () => {
  test('on this machine, for people', async () => {
    const outcome = await runOnecopy(['doctor']);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^Single copy works: two ranks pulled (\d+) of \1 MiB/);
    expect(outcome.stdout).toContain(`\ncores         ${loadBinding().usableCores()}: `);
    expect(outcome.stdout).toContain(`Node ${process.version}`);
    expect(outcome.stdout).not.toMatch(/undefined|NaN|null/);
  });

  test('on this machine, as JSON', async () => {
    const outcome = await runOnecopy(['doctor', '--json']);
    expect(outcome.code).toBe(0);
    const found = examinationIn(outcome);
    expect(found).toMatchObject({
      singleCopy: { verdict: 'works', stagedBytes: 0, error: null, dumpable: true, causes: [] },
      cores: { usable: loadBinding().usableCores() },
      // The peer's doorbell; the socket channel keeps a socket beside it.
      limits: { descriptorsPerPeer: 1 },
      software: { node: process.version, onecopy: '0.1.0' },
    });
    expect(Object.keys(found)).toEqual([
      ...['singleCopy', 'cores', 'hugePages', 'instructionSet', 'limits', 'software', 'host'],
      'advice',
    ]);
    expect(new Set(Object.values(found.software.packages))).toEqual(new Set(['0.1.0']));
  });

  test('what it does not understand', async () => {
    const complaint = async (...args: string[]): Promise<string> => {
      const outcome = await runOnecopy(['doctor', ...args]);
      expect(outcome).toMatchObject({ code: 2, stdout: '' });
      return outcome.stderr;
    };
    expect(await complaint('--jsn')).toBe(
      'onecopy: There is no option --jsn: did you mean --json?\n',
    );
    expect(await complaint('--something')).toContain('see onecopy doctor --help');
    expect(await complaint('--json=1')).toBe(
      'onecopy: --json takes no value, but it was given 1.\n',
    );
    expect(await complaint('yama')).toContain('what is yama?');
  });

  test('--help', async () => {
    for (const option of ['--help', '-h']) {
      const outcome = await runOnecopy(['doctor', option]);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout).toMatch(/^Usage: onecopy doctor \[--json\]\n/);
    }
  });
});

describe('where the copy is really refused', () => {
  test.each(['EPERM', 'ENOSYS'])('by a seccomp filter (%s)', async (errno) => {
    const env = {
      LD_PRELOAD: preload(folder, 'no-cross-memory'),
      ...(errno === 'ENOSYS' ? { TEST_REFUSAL_ENOSYS: '1' } : {}),
    };
    const outcome = await runOnecopy(['doctor', '--json'], { env });
    expect(outcome.code).toBe(1);
    expect(examinationIn(outcome).singleCopy).toMatchObject({
      verdict: 'refused',
      cmaBytes: 0,
      error: errno,
      seccomp: 'filter',
      causes: [{ id: 'seccomp' }],
    });
    const text = await runOnecopy(['doctor'], { env });
    expect(text).toMatchObject({ code: 1, stderr: '' });
    expect(text.stdout).toMatch(/^Single copy is refused.*\n {2}A seccomp filter.*\n {4}-> Start/);
  });

  const { command, reason } = ordinaryUser();
  if (reason !== undefined) console.warn(`left out: an ordinary user's doctor: ${reason}`);

  test.skipIf(reason !== undefined)(
    'because the ranks are not dumpable, as an ordinary user',
    async () => {
      const [file = '', ...before] = command;
      const env = { LD_PRELOAD: preload(folder, 'not-readable'), HOME: folder };
      const args = [...before, process.execPath, cli, 'doctor', '--json'];
      const outcome = await new Command(file, args, { env }).ended;
      expect(outcome.code).toBe(1);
      expect(examinationIn(outcome).singleCopy).toMatchObject({
        verdict: 'refused',
        error: 'EPERM',
        dumpable: false,
        capSysPtrace: false,
        causes: expect.arrayContaining([expect.objectContaining({ id: 'notDumpable' })]),
      });
    },
  );

  test('no job can be run where descriptors are short', async () => {
    const line = `ulimit -n 30; exec "$0" "$@"`;
    const args = ['-c', line, process.execPath, cli, 'doctor', '--json'];
    const outcome = await new Command('sh', args).ended;
    expect(outcome.code).toBe(1);
    expect(examinationIn(outcome)).toMatchObject({
      singleCopy: { verdict: 'failed', causes: [{ id: 'trial' }] },
      limits: { descriptors: { soft: 30, hard: 30 } },
    });
  });

  if (!existsSync(YAMA)) {
    console.warn('left out: Yama itself: this kernel does not have it, only made-up files do');
  }
});
