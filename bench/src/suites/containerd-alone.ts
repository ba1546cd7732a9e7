import { credentials } from '@grpc/grpc-js';
import { cri } from '@navarch/proto';
import type { LocalCluster } from './local-cluster.ts';

/**
 * What containerd alone takes for the same Pods: sandbox, create and start by CRI, one Pod after another, in milliseconds
 * each. Runs in the cluster's own containerd, so that images and network are the same; the agent takes no notice of
 * sandboxes that carry none of its labels.
 */
export async function containerdAlone(cluster: LocalCluster, count: number): Promise<number[]> {
  const runtime = new cri.RuntimeServiceClient(`unix:${cluster.runtimeSocket}`, credentials.createInsecure());
  const image = 'docker.io/library/nginx:1.22';
  await pull(cluster, image);
  const times: number[] = [];
  for (let number = 0; number < count; number++) {
    const config = cri.PodSandboxConfig.fromPartial({
      metadata: { name: `alone-${number}`, uid: `alone-${number}`, namespace: 'bench' },
      hostname: `alone-${number}`,
      logDirectory: `${cluster.home}/logs/alone-${number}`,
      linux: {},
    });
    const begin = performance.now();
    const { podSandboxId } = await call<cri.RunPodSandboxResponse>((done) =>
      runtime.runPodSandbox(cri.RunPodSandboxRequest.fromPartial({ config }), done),
    );
    const { containerId } = await call<cri.CreateContainerResponse>((done) =>
      runtime.createContainer(
        cri.CreateContainerRequest.fromPartial({
          podSandboxId,
          config: { metadata: { name: 'web' }, image: { image }, logPath: 'web.log', linux: {} },
          sandboxConfig: config,
        }),
        done,
      ),
    );
    await call((done) => runtime.startContainer(cri.StartContainerRequest.fromPartial({ containerId }), done));
    times.push(performance.now() - begin);
    await call((done) => runtime.stopPodSandbox(cri.StopPodSandboxRequest.fromPartial({ podSandboxId }), done));
    await call((done) => runtime.removePodSandbox(cri.RemovePodSandboxRequest.fromPartial({ podSandboxId }), done));
  }
  runtime.close();
  return times;
}

async function pull(cluster: LocalCluster, image: string): Promise<void> {
  const images = new cri.ImageServiceClient(`unix:${cluster.runtimeSocket}`, credentials.createInsecure());
  await call((done) => images.pullImage(cri.PullImageRequest.fromPartial({ image: { image } }), done));
  images.close();
}

/** A callback call of grpc-js as a promise. */
function call<A>(start: (done: (error: Error | null, answer: A) => void) => unknown): Promise<A> {
  return new Promise((resolve, reject) => {
    start((error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}
