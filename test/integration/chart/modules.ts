/** CRDs of other projects, out of the Go modules that publish them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

function moduleFolder(path: string, version: string): string {
  const text = execFileSync('go', ['mod', 'download', '-json', `${path}@${version}`], {
    // Outside any module of ours: the version is the one named here.
    cwd: '/',
    env: { ...process.env, GOFLAGS: '-mod=mod' },
    encoding: 'utf8',
  });
  return (JSON.parse(text) as { Dir: string }).Dir;
}

/** Files with the CRDs that the chart's optional objects need. */
export function foreignCrds(): string[] {
  const prometheus = moduleFolder('github.com/prometheus-operator/prometheus-operator', 'v0.85.0');
  const certManager = moduleFolder('github.com/cert-manager/cert-manager', 'v1.21.2');
  return [
    ...['servicemonitors', 'prometheusrules'].map((plural) =>
      join(prometheus, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`),
    ),
    ...['issuers', 'certificates'].map((plural) =>
      join(certManager, 'deploy', 'crds', `cert-manager.io_${plural}.yaml`),
    ),
  ];
}
