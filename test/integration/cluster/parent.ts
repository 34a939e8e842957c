/** A process that holds a cluster, to be killed: `node parent.ts FOLDER plain|node`. Prints `up` when it has one. */
import { startCluster } from '../../cluster/controlplane.ts';

const [folder = '', kind = 'plain'] = process.argv.slice(2);
const cluster = await startCluster({ folder, node: kind === 'node' });
process.stdout.write('up\n');
// The cluster's processes do not keep their parent alive.
setInterval(() => undefined, 60_000);
process.once('SIGTERM', () => {
  void cluster.stop().then(() => process.exit());
});
