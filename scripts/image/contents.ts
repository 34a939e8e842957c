/** What the image is made of and how it runs: for scripts/image and, by a test, for deploy/Dockerfile. */

/** Of the checkout, beside the compiled code and the production dependencies. */
export const APP_FILES = ['package.json', 'package-lock.json', 'bin', 'crds', 'LICENSE'] as const;

/** 65 MB that only a kubeconfig with an exec or OIDC credential ever loads: never in a pod. */
export const LEFT_OUT = '@kubernetes/client-node';

export const NPM_FLAGS = [
  '--omit=dev',
  '--omit=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
] as const;

/** The `config` object of the image specification. */
export const RUN = {
  User: '65532:65532',
  WorkingDir: '/app',
  Entrypoint: ['/usr/bin/node', '/app/bin/cogniforge.js'],
  Cmd: ['controller'],
  Env: ['PATH=/usr/bin', 'NODE_ENV=production', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
} as const;
