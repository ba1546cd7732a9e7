/** Tells the Pods of one revision of a Deployment from those of the others; no part of what the user wrote. */
export const podTemplateHashLabel = 'pod-template-hash';

/** The label, of a ControllerRevision and of Pods, that says which revision they are of. Kubernetes' name: its tools read it. */
export const revisionHashLabel = 'controller-revision-hash';
