/**
 * The images that the examples and tests need where no registry on the internet can be reached, as data: which Debian
 * packages their files come from, which of those files they hold, and how the image runs.
 *
 * @typedef {object} ImageRecipe
 * @property {string} repository as users write it, without the registry's host
 * @property {readonly string[]} tags the first is the image itself; the others differ from it by a label only, so that
 *   a rollout from one to another can be tried
 * @property {readonly string[]} packages Debian packages to unpack (never installed)
 * @property {readonly string[]} [programs] paths in the packages, copied with the shared libraries they need
 * @property {readonly string[]} [copies] other files or folders copied as they are
 * @property {boolean} [shell] with busybox and a link for each of its programs
 * @property {readonly string[]} [folders] made empty
 * @property {Record<string, string>} [links] link path → target
 * @property {Record<string, string>} [files] path → content
 * @property {Record<string, unknown>} config the `config` object of the OCI image
 */

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const passwd = (/** @type {string} */ more) =>
  `root:x:0:0:root:/root:/bin/sh\n${more}nobody:x:65534:65534:nobody:/:/bin/false\n`;
const group = (/** @type {string} */ more) => `root:x:0:\n${more}nogroup:x:65534:\n`;

// The places and defaults are those of the image that `nginx` names on Docker Hub, so that manifests written for it work.
const nginxConf = `user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;
events { worker_connections  1024; }
http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
    access_log  /var/log/nginx/access.log  main;
    sendfile           on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
`;
const nginxSite = `server {
    listen       80;
    server_name  localhost;
    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
    error_page   500 502 503 504  /50x.html;
    location = /50x.html { root /usr/share/nginx/html; }
}
`;
const nginxIndex = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>The web server runs. It comes from a Debian package, put into an image on this machine.</p>
</body>
</html>
`;

/** @type {readonly ImageRecipe[]} */
export const catalogue = [
  {
    // catatonit -P waits for signals and reaps orphans: all that a Pod's first container is for.
    repository: 'pause',
    tags: ['3.8'],
    packages: ['catatonit'],
    copies: ['/usr/bin/catatonit'],
    config: { Entrypoint: ['/usr/bin/catatonit', '-P'], User: '65535:65535', WorkingDir: '/' },
  },
  {
    repository: 'library/busybox',
    tags: ['latest', '1.35', '1.36'],
    packages: ['busybox-static'],
    shell: true,
    folders: ['/dev', '/etc', '/home', '/proc', '/root', '/sys', '/usr/bin', '/usr/sbin', '/var'],
    files: { '/etc/passwd': passwd(''), '/etc/group': group('') },
    config: { Env: [path], Cmd: ['sh'] },
  },
  {
    repository: 'library/nginx',
    tags: ['latest', '1.22', '1.23'],
    packages: ['nginx', 'nginx-common', 'busybox-static', 'libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3', 'zlib1g'],
    programs: ['/usr/sbin/nginx'],
    copies: ['/etc/nginx/mime.types'],
    shell: true,
    folders: ['/var/lib/nginx', '/var/run', '/var/log/nginx', '/proc', '/sys', '/dev', '/root'],
    links: { '/var/log/nginx/access.log': '/dev/stdout', '/var/log/nginx/error.log': '/dev/stderr' },
    files: {
      '/etc/passwd': passwd('nginx:x:101:101:nginx:/nonexistent:/bin/false\n'),
      '/etc/group': group('nginx:x:101:\n'),
      '/etc/nginx/nginx.conf': nginxConf,
      '/etc/nginx/conf.d/default.conf': nginxSite,
      '/usr/share/nginx/html/index.html': nginxIndex,
      '/usr/share/nginx/html/50x.html': '<!DOCTYPE html><title>Error</title><h1>An error occurred.</h1>\n',
    },
    config: {
      Env: [path],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
  },
];
