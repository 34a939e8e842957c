/**
 * Writes an image as an OCI image layout in a tar file, with the `manifest.json` of `docker save` beside it, so that
 * containerd, Docker and Podman all load it. Nothing in it depends on when or where it was written.
 * Format: https://github.com/opencontainers/image-spec (v1.1).
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';

export interface Layer {
  /** what the layer brings, for the image's history */
  title: string;
  /** a folder whose content becomes the root of the file system */
  folder: string;
}

export interface Image {
  /** `registry/name:tag` */
  reference: string;
  architecture: 'amd64' | 'arm64';
  layers: readonly Layer[];
  /** the `config` object of the image specification: Entrypoint, User, Env ... */
  config: Record<string, unknown>;
}

interface Blob {
  file: string;
  digest: string;
  size: number;
}

/** Writes `target`; returns the digest of the image's manifest. `scratch` is an empty folder for the layers. */
export async function writeImage(image: Image, target: string, scratch: string): Promise<string> {
  const layers: Blob[] = [];
  for (const [at, layer] of image.layers.entries())
    layers.push(await writeLayer(layer.folder, join(scratch, `layer-${String(at)}.tar`)));
  const config = json({
    architecture: image.architecture,
    os: 'linux',
    created: EPOCH,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: image.layers.map(({ title }) => ({ created: EPOCH, created_by: title })),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...descriptor(config) },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size,
    })),
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...descriptor(manifest),
        platform: { architecture: image.architecture, os: 'linux' },
        annotations: {
          'io.containerd.image.name': image.reference,
          'org.opencontainers.image.ref.name': image.reference.replace(/^.*:/, ''),
        },
      },
    ],
  });
  const docker = json([
    {
      Config: blobPath(descriptor(config).digest),
      RepoTags: [image.reference],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ]);
  const archive = pack();
  const written = pipeline(archive, createWriteStream(target));
  for (const [name, text] of [
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', index],
    ['manifest.json', docker],
    [blobPath(descriptor(config).digest), config],
    [blobPath(descriptor(manifest).digest), manifest],
  ] as const)
    archive.entry({ name, ...FIXED }, text);
  for (const { file, digest, size } of layers) await addFile(archive, blobPath(digest), file, size);
  archive.finalize();
  await written;
  return descriptor(manifest).digest;
}

const EPOCH = '1970-01-01T00:00:00Z';
const FIXED = { mtime: new Date(0), uid: 0, gid: 0, mode: 0o644 } as const;

/** Entries in one order, owned by root, without times: the same folder gives the same bytes. */
async function writeLayer(folder: string, file: string): Promise<Blob> {
  const layer = pack();
  const written = pipeline(layer, createWriteStream(file));
  await addFolder(layer, folder, '');
  layer.finalize();
  await written;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { file, digest: `sha256:${hash.digest('hex')}`, size: statSync(file).size };
}

async function addFolder(layer: Pack, root: string, path: string): Promise<void> {
  for (const name of readdirSync(join(root, path)).toSorted()) {
    const inside = path === '' ? name : `${path}/${name}`;
    const full = join(root, inside);
    const found = lstatSync(full);
    const executable = (found.mode & 0o111) !== 0;
    if (found.isDirectory()) {
      // /tmp is for everybody; the rest is read by everybody and written by nobody.
      layer.entry({
        ...FIXED,
        name: `${inside}/`,
        type: 'directory',
        mode: inside === 'tmp' ? 0o1777 : 0o755,
      });
      await addFolder(layer, root, inside);
    } else if (found.isSymbolicLink()) {
      layer.entry({ ...FIXED, name: inside, type: 'symlink', linkname: readlinkSync(full) });
    } else {
      await addFile(layer, inside, full, found.size, executable ? 0o755 : 0o644);
    }
  }
}

async function addFile(archive: Pack, name: string, file: string, size: number, mode = 0o644): Promise<void> {
  const entry = archive.entry({ ...FIXED, name, size, mode });
  await pipeline(createReadStream(file), entry);
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

function descriptor(text: string): { digest: string; size: number } {
  return {
    digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    size: Buffer.byteLength(text),
  };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
