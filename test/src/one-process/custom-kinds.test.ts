import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customResourceDefinition } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const examples = join(import.meta.dirname, '../../../examples/custom');
let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
});
afterAll(() => cluster.stop());

const navctl = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await cluster.navctl(...args);
  if (code !== 0) throw new Error(err);
  return out;
};
const columnsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

test('the examples of custom kinds are applied, shown, explained, changed and scaled', async () => {
  expect(await navctl('apply', '-f', examples)).toBe(
    'customresourcedefinition.apiextensions.k8s.io/websites.example.com created\nwebsite.example.com/shop created\n',
  );
  expect(await navctl('apply', '-f', examples)).toBe(
    'customresourcedefinition.apiextensions.k8s.io/websites.example.com unchanged\nwebsite.example.com/shop unchanged\n',
  );
  expect(columnsOf(await navctl('get', 'websites'))[0]).toEqual(['NAME', 'DOMAIN', 'WANTED', 'READY', 'AGE']);
  const [titles, row] = columnsOf(await navctl('get', 'web', '-o', 'wide'));
  expect(titles).toEqual(['NAME', 'DOMAIN', 'WANTED', 'READY', 'THEME', 'AGE']);
  expect(row?.slice(0, 3)).toEqual(['shop', 'shop.example.com', '2']);
  expect(await navctl('get', 'all', '-o', 'name')).toContain('website.example.com/shop');
  expect(await navctl('api-resources')).toMatch(/^websites +web +example\.com\/v1 +true +Website$/m);
  expect(await navctl('explain', 'website.spec.pages')).toContain('FIELD: pages <[]Object>');
  expect(await navctl('explain', 'websites.spec.replicas')).toContain('How many Pods serve it.');
  expect(await navctl('describe', 'website', 'shop')).toMatch(/Domain: +shop\.example\.com/);

  await navctl('scale', 'website/shop', '--replicas=5');
  await navctl('patch', 'website', 'shop', '--type=merge', '-p', '{"spec":{"theme":"dark"}}');
  await navctl('label', 'website', 'shop', 'tier=front');
  expect(await navctl('get', 'websites', '--field-selector', 'spec.theme=dark', '-o', 'name')).toBe(
    'website.example.com/shop\n',
  );
  const shown = await navctl('get', 'website/shop', '-o', 'yaml');
  expect(parseAllDocuments(shown)[0]?.toJSON()).toMatchObject({
    apiVersion: 'example.com/v1',
    kind: 'Website',
    metadata: { name: 'shop', generation: 3, labels: { tier: 'front' } },
    spec: {
      replicas: 5,
      theme: 'dark',
      pages: [
        { path: '/', cacheSeconds: 60 },
        { path: '/about', cacheSeconds: 3600 },
      ],
    },
  });
});

test('what is wrong is told with its place, before anything is sent', async () => {
  const wrong = (await readFile(join(examples, 'shop.yaml'), 'utf8'))
    .replace('replicas: 2', 'replicas: -1')
    .replace('domain: shop', 'domian: shop');
  const { code, err } = await cluster.navctlWith(wrong, 'apply', '-f', '-');
  expect(code).toBe(1);
  expect(err).toContain('stdin:7:3 spec.domian: unknown field; did you mean "domain"?');
  const { err: invalid } = await cluster.navctlWith(wrong.replace('domian', 'domain'), 'apply', '-f', '-');
  expect(invalid).toContain('stdin:8:3 spec.replicas: -1 must be at least 0');
});

test('custom objects own and are owned, and go with their namespace', async () => {
  await navctl('create', 'namespace', 'sites');
  const site = (name: string, more: object = {}) => ({
    apiVersion: 'example.com/v1',
    kind: 'Website',
    metadata: { name, namespace: 'sites', ...more },
    spec: { domain: `${name}.example.com` },
  });
  await cluster.apply(site('main'));
  const uid = (await navctl('get', 'website', 'main', '-n', 'sites', '-o', 'yaml')).match(/uid: (\S+)/)?.[1] ?? '';
  const owner = { apiVersion: 'example.com/v1', kind: 'Website', name: 'main', uid };
  await cluster.apply(
    site('mirror', { ownerReferences: [owner] }),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'pages', namespace: 'sites', ownerReferences: [owner] } },
    site('kept'),
  );
  await navctl('delete', 'website', 'main', '-n', 'sites');
  await cluster.time.until('what the site owned to go', async () => {
    const sites = await navctl('get', 'websites', '-n', 'sites', '-o', 'name');
    const maps = await navctl('get', 'configmaps', '-n', 'sites', '-o', 'name');
    return sites === 'website.example.com/kept\n' && !maps.includes('pages');
  });
  await navctl('delete', 'namespace', 'sites');
  expect(await navctl('get', 'websites', '-A', '-o', 'name')).toBe('website.example.com/shop\n');
});

test('with a definition go its objects, and then the kind', async () => {
  await navctl('patch', 'website', 'shop', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}');
  await navctl('delete', 'crd', 'websites.example.com', '--wait=false');
  await cluster.time.until('the definition to tell what it waits for', async () =>
    (await navctl('describe', 'crd', 'websites.example.com')).includes('waiting for 1 objects to go'),
  );
  const another = (await readFile(join(examples, 'shop.yaml'), 'utf8')).replace('name: shop', 'name: late');
  const { err } = await cluster.navctlWith(another, 'apply', '-f', '-');
  expect(err).toContain('websites.example.com is being deleted: no websites can be created');
  await navctl('patch', 'website', 'shop', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  await cluster.time.until('the definition to go', async () => {
    const { items } = await cluster.client.list(customResourceDefinition);
    return items.length === 0;
  });
  expect((await cluster.navctl('get', 'websites')).err).toContain('no resource type "websites"');
});
