import { existsSync } from 'node:fs';
import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { run } from './exec.mjs';
import { Failure } from './failure.mjs';

/** What each Debian package is needed for; one whose file is there already, from wherever, is not installed. */
const needs = [
  { file: 'etcd', name: 'etcd-server', unit: 'etcd.service' },
  { file: 'nats-server', name: 'nats-server', unit: 'nats-server.service' },
  { file: 'containerd', name: 'containerd', unit: 'containerd.service' },
  { file: 'containerd-shim-runc-v2', name: 'containerd', unit: 'containerd.service' },
  { file: 'runc', name: 'runc' },
  { file: '/usr/lib/cni/bridge', name: 'containernetworking-plugins' },
  { file: 'nft', name: 'nftables' },
  { file: 'ip', name: 'iproute2' },
];
const registryNeed = { file: 'docker-registry', name: 'docker-registry', unit: 'docker-registry.service' };

const policyFile = '/usr/sbin/policy-rc.d';
const savedPolicy = '/usr/sbin/policy-rc.d.before-navarch';

/**
 * @param {{ localRegistry: boolean, without: readonly string[] }} options
 * @returns {{ name: string, unit?: string }[]} the missing packages
 */
export function missingPackages({ localRegistry, without }) {
  const all = [...needs, ...(localRegistry ? [registryNeed] : [])].filter(({ name }) => {
    return !without.includes(name.replace('-server', ''));
  });
  const missing = all.filter(({ file }) => !installed(file));
  return missing.filter(({ name }, index) => missing.findIndex((other) => other.name === name) === index);
}

/** @param {string} file */
const installed = (file) =>
  file.startsWith('/')
    ? existsSync(file)
    : (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(`${dir}/${file}`));

/**
 * Installs Debian packages. No service of theirs is started, now or at the next boot: the cluster runs its own copies.
 * @param {readonly { name: string, unit?: string | undefined }[]} packages
 * @param {(line: string) => void} onLine
 */
export async function installPackages(packages, onLine) {
  if (packages.length === 0) return;
  const names = packages.map(({ name }) => name);
  const fresh = packages.filter(({ unit }) => unit && !existsSync(`/lib/systemd/system/${unit}`));
  await withoutServiceStarts(async () => {
    if (!(await haveLists())) await updateLists(onLine);
    if ((await aptInstall(names, onLine)).code === 0) return;
    await updateLists(onLine); // the lists may name versions that the mirror has replaced
    const { code, stderr } = await aptInstall(names, onLine);
    if (code === 0) return;
    throw new Failure(
      `apt-get could not install ${names.join(', ')}: ${lastError(stderr)}`,
      `Install them yourself (apt-get install ${names.join(' ')}) and start again, or use docker compose up.`,
    );
  });
  for (const { unit } of fresh) {
    if (unit && existsSync('/usr/bin/systemctl')) await run('systemctl', ['disable', '--quiet', unit]);
  }
}

/** @param {readonly string[]} names @param {(line: string) => void} onLine */
const aptInstall = (names, onLine) =>
  run(
    'apt-get',
    // --no-remove: a docker engine from elsewhere brings a containerd of its own, which must not be replaced.
    ['install', '-y', '--no-install-recommends', '--no-remove', '-o', 'DPkg::Lock::Timeout=120', ...names],
    { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, onLine },
  );

/** @param {(line: string) => void} onLine */
async function updateLists(onLine) {
  // A source that can't be reached makes it fail though the others were read, so what counts is the install after it.
  await run('apt-get', ['update', '-o', 'DPkg::Lock::Timeout=120'], { onLine });
}

async function haveLists() {
  const names = await readdir('/var/lib/apt/lists').catch(() => []);
  return names.some((name) => name.includes('_Packages'));
}

/** https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt: 101 forbids. @param {() => Promise<void>} work */
async function withoutServiceStarts(work) {
  if (existsSync(savedPolicy)) await rename(savedPolicy, policyFile); // of a run that was killed half-way
  const had = existsSync(policyFile);
  if (had) await rename(policyFile, savedPolicy);
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n');
  await chmod(policyFile, 0o755);
  try {
    await work();
  } finally {
    if (had) await rename(savedPolicy, policyFile);
    else await rm(policyFile, { force: true });
  }
}

/** @param {string} stderr */
function lastError(stderr) {
  const lines = stderr.trim().split('\n');
  return (lines.filter((line) => line.startsWith('E:')).at(-1) ?? lines.at(-1) ?? 'no reason given').replace(
    /^E: /,
    '',
  );
}
