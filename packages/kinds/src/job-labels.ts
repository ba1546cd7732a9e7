/** Labels, annotations and finalizers of Jobs and their Pods, as Kubernetes names them (https://kubernetes.io/docs/reference/labels-annotations-taints). */

/** Keeps a Pod until its Job has counted it. */
export const jobTrackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const jobNameLabel = 'batch.kubernetes.io/job-name';
export const jobUidLabel = 'batch.kubernetes.io/controller-uid';
/** As they were called before 2023; many a selector still says so. */
export const oldJobNameLabel = 'job-name';
export const oldJobUidLabel = 'controller-uid';
/** Label and annotation of an Indexed Job's Pod. */
export const completionIndexLabel = 'batch.kubernetes.io/job-completion-index';
/** How often the index of a Pod had failed when the Pod was made. */
export const indexFailuresAnnotation = 'batch.kubernetes.io/job-index-failure-count';
/** How many of these failures a podFailurePolicy ignored. */
export const indexIgnoredFailuresAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count';
/** The time of a CronJob's schedule for which a Job was made, RFC 3339 in the CronJob's time zone. */
export const scheduledTimeAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** On Jobs that somebody made from a CronJob by hand. */
export const instantiateAnnotation = 'cronjob.kubernetes.io/instantiate';
/** Who looks after Jobs that name nobody. */
export const jobControllerName = 'kubernetes.io/job-controller';
