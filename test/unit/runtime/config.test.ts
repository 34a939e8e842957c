import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/runtime/auth.ts';
import { certificateNames, clientConfigOf, readConfig } from '../../../src/runtime/config.ts';

describe('settings', () => {
  it('come from the flag, else from the variable, else from the default', () => {
    expect(readConfig([], {}).webhookPort).toBe(9443);
    const env = { COGNIFORGE_WEBHOOK_PORT: '1234' };
    expect(readConfig([], env).webhookPort).toBe(1234);
    expect(readConfig(['--webhook-port=5678'], env).webhookPort).toBe(5678);
  });

  it('are not disturbed by what Kubernetes puts into a pod beside a Service of the same name', () => {
    const env = {
      COGNIFORGE_WEBHOOK_PORT: 'tcp://10.96.0.12:443',
      COGNIFORGE_HEALTH_PORT: 'tcp://10.96.0.13:80',
    };
    expect(readConfig([], env)).toMatchObject({ webhookPort: 9443, healthPort: 8081 });
  });

  it('take KUBECONFIG as kubectl does, the flag before it, and an empty one for none', () => {
    expect(readConfig([], { KUBECONFIG: '/a' }).kubeconfig).toBe('/a');
    expect(readConfig(['--kubeconfig=/b'], { KUBECONFIG: '/a' }).kubeconfig).toBe('/b');
    expect(readConfig([], { KUBECONFIG: '' }).kubeconfig).toBeUndefined();
  });

  it('give every process an identity of its own', () => {
    const env = { POD_NAME: 'cogniforge-0' };
    const [one, other] = [readConfig([], env).identity, readConfig([], env).identity];
    expect(one).toMatch(/^cogniforge-0-/);
    expect(one).not.toBe(other);
  });
});

describe('what is refused', () => {
  const PORT = 'must be a whole number from 0 to 65535';
  it.each([
    ['--webhook-port=', '--webhook-port (or COGNIFORGE_WEBHOOK_PORT)', PORT],
    ['--webhook-port=http', '--webhook-port', `${PORT}; it is "http"`],
    ['--webhook-port=65536', '--webhook-port', PORT],
    ['--webhook-port=-1', '--webhook-port', PORT],
    ['--webhook-port=1e3', '--webhook-port', PORT],
    ['--webhook-port=0x50', '--webhook-port', PORT],
    ['--health-port=80.5', '--health-port', PORT],
    // Longer would not fit into the 30 s that a pod is given.
    ['--lame-duck-seconds=16', '--lame-duck-seconds', 'from 0 to 15'],
    ['--log-level=verbose', '--log-level', 'one of debug, info, warn, error'],
    ['--namespace=', '--namespace', 'a DNS label'],
    ['--namespace=Not_A_Label', '--namespace', 'a DNS label'],
    ['--webhook-service=a.b', '--webhook-service', 'a DNS label'],
    ['--webhook-host=a b', '--webhook-host', 'an IP address or a host name'],
    ['--webhook-url=http://a:1', '--webhook-url', 'https://HOST[:PORT]'],
    ['--webhook-url=nonsense', '--webhook-url', 'https://HOST[:PORT]'],
    ['--webhook-url=https://user@a', '--webhook-url', 'without user'],
    ['--webhook-url=https://a?x=1', '--webhook-url', 'query'],
    ['--no-such-flag=1', "Unknown option '--no-such-flag'", 'known flags: --kubeconfig, '],
    ['stray', 'stray', 'known flags:'],
    ['--webhook-port', '--webhook-port', 'known flags:'],
  ])('%s: the message names it and what is accepted', (flag, name, accepted) => {
    const read = () => readConfig([flag], {});
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(name);
    expect(read).toThrow(accepted);
  });

  it('in a variable is named by its variable too', () => {
    expect(() => readConfig([], { COGNIFORGE_LOG_LEVEL: 'loud' })).toThrow(
      '--log-level (or COGNIFORGE_LOG_LEVEL) must be one of debug, info, warn, error; it is "loud"',
    );
  });
});

describe('how the API server reaches the webhook', () => {
  it('is the Service inside a cluster', () => {
    const config = readConfig(['--namespace=ns', '--webhook-service=hook'], {});
    expect(certificateNames(config)).toEqual(['hook.ns.svc', 'hook.ns.svc.cluster.local']);
    expect(clientConfigOf(config, 'ca')).toEqual({
      caBundle: 'ca',
      service: { namespace: 'ns', name: 'hook', port: 443 },
    });
  });

  it.each([
    ['https://127.0.0.1:9443/', '127.0.0.1', 'https://127.0.0.1:9443'],
    ['https://[::1]:9443', '::1', 'https://[::1]:9443'],
    ['https://hook.example.com', 'hook.example.com', 'https://hook.example.com'],
  ])('is %s outside one', (flag, name, url) => {
    const config = readConfig([`--webhook-url=${flag}`], {});
    expect(certificateNames(config)[0]).toBe(name);
    expect(clientConfigOf(config, 'ca')).toEqual({ caBundle: 'ca', url });
  });
});
