import { describe, expect, it } from '@jest/globals';
import { explain, missing, packagesOf, pluginFolder, type Machine } from '../../cluster/node/requirements.ts';

const COMPLETE: Machine = {
  platform: 'linux',
  uid: 0,
  hasCommand: () => true,
  hasFile: (path) => path.startsWith('/usr/lib/cni/'),
  filesystems: 'nodev\tproc\nnodev\toverlay\n\text4\n',
};

function without(change: Partial<Machine>): string {
  return explain(missing({ ...COMPLETE, ...change }));
}

describe('what a real node needs', () => {
  it('is nothing more where everything is there', () => {
    expect(missing(COMPLETE)).toEqual([]);
    expect(explain([])).toBe('');
  });

  it.each<[string, Partial<Machine>, RegExp]>([
    ['Linux', { platform: 'darwin' }, /Linux \(this is darwin\)/],
    ['root', { uid: 1000 }, /to be root/],
    ['a command', { hasCommand: (name) => name !== 'runc' }, /^ {2}runc \(Debian package runc\)$/m],
    [
      'a CNI plugin',
      // Half of them in each place is not enough: containerd looks in one folder.
      { hasFile: (path) => path.startsWith('/usr/lib/cni/') !== path.endsWith('/ptp') },
      /^ {2}the CNI plugin ptp \(Debian package containernetworking-plugins\)$/m,
    ],
    ['overlay', { filesystems: 'nodev\toverlayfs2\n' }, /overlay file system/],
  ])('names %s when it is missing', (_what, change, told) => {
    expect(without(change)).toMatch(told);
  });

  it('names everything at once, each package once, and the command that brings them', () => {
    const bare = { ...COMPLETE, hasCommand: () => false, hasFile: () => false };
    const packages = [
      ...['containerd', 'runc', 'iptables', 'conntrack', 'iproute2', 'util-linux', 'mount'],
      'containernetworking-plugins',
    ];
    expect(packagesOf(missing(bare))).toEqual(packages);
    expect(explain(missing(bare))).toContain(`apt-get install ${packages.join(' ')}`);
    expect(explain(missing(bare))).toContain('npm run cluster -- requirements --install');
  });

  it('offers no package where a package would not help', () => {
    expect(without({ uid: 1000 })).not.toContain('apt-get');
  });

  it('takes the CNI plugins of the project’s own releases too', () => {
    const hasFile = (path: string): boolean => path.startsWith('/opt/cni/bin/');
    expect(missing({ ...COMPLETE, hasFile })).toEqual([]);
    expect(pluginFolder({ ...COMPLETE, hasFile })).toBe('/opt/cni/bin');
  });
});
