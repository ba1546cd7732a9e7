import { request } from 'node:http';

/** Asks once, on a connection of its own, and gives the status code. Rejects when there is no answer within 5 s. */
export function httpStatus(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, timeout: 5000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')));
    asked.on('error', reject);
    asked.end();
  });
}

export interface Load {
  /** Ends the load and tells what came of it. */
  stop(): Promise<{ readonly answered: number; readonly failures: readonly string[] }>;
}

/** Asks `url` without pause, `concurrency` at a time, each on a new connection, until stopped. */
export function constantLoad(url: string, concurrency = 4): Load {
  const over = new AbortController();
  let answered = 0;
  const failures: string[] = [];
  const worker = async () => {
    while (!over.signal.aborted) {
      try {
        const status = await httpStatus(url);
        if (status === 200) answered++;
        else failures.push(`HTTP ${status}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const workers = Array.from({ length: concurrency }, worker);
  return {
    async stop() {
      over.abort();
      await Promise.all(workers);
      return { answered, failures };
    },
  };
}
