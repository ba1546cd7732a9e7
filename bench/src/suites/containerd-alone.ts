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
  const call = <Q, A>(method: (request: Q, done: (error: Error | null, answer: A) => void) => unknown, request: Q) =>
    new Promise<A>((resolve, reject) => {
      method.call(runtime, request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
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
    const { podSandboxId } = await call<cri.RunPodSandboxRequest, cri.RunPodSandboxResponse>(
      runtime.runPodSandbox,
      cri.RunPodSandboxRequest.fromPartial({ config }),
    );
    const { containerId } = await call<cri.CreateContainerRequest, cri.CreateContainerResponse>(
      runtime.createContainer,
      cri.CreateContainerRequest.fromPartial({
        podSandboxId,
        config: { metadata: { name: 'web' }, image: { image }, logPath: 'web.log', linux: {} },
        sandboxConfig: config,
      }),
    );
    await call(runtime.startContainer, cri.StartContainerRequest.fromPartial({ containerId }));
    times.push(performance.now() - begin);
    await call(runtime.stopPodSandbox, cri.StopPodSandboxRequest.fromPartial({ podSandboxId }));
    await call(runtime.removePodSandbox, cri.RemovePodSandboxRequest.fromPartial({ podSandboxId }));
  }
  runtime.close();
  return times;
}

function pull(cluster: LocalCluster, image: string): Promise<unknown> {
  const images = new cri.ImageServiceClient(`unix:${cluster.runtimeSocket}`, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    images.pullImage(cri.PullImageRequest.fromPartial({ image: { image } }), (error, answer) => {
      images.close();
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}
