/**
 * A step for a Pod failed for a reason that its user should see in the Pod's status. `reason` is the word that the field
 * uses: CreateContainerConfigError, ErrImagePull.
 */
export class StepError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StepError';
    this.reason = reason;
  }
}
