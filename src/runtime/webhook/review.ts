/** The admission.k8s.io/v1 contract, and what our gates answer to it. */
import type { Unstructured } from '../resource.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface UserInfo {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** AdmissionReview.request, decoded losslessly (integers beyond 2^53 are JSON.rawJSON objects). */
export interface AdmissionRequest {
  uid: string;
  kind: GroupVersionKind;
  resource: { group: string; version: string; resource: string };
  subResource?: string;
  requestKind?: GroupVersionKind;
  requestResource?: { group: string; version: string; resource: string };
  name?: string;
  namespace?: string;
  operation: Operation;
  userInfo: UserInfo;
  object?: Unstructured | null;
  oldObject?: Unstructured | null;
  options?: unknown;
  dryRun?: boolean;
}

/** What one gate says of one request. */
export interface Verdict {
  allowed: boolean;
  /** the sentence the user reads when refused: what, why, what to do */
  message?: string;
  /** HTTP code of a refusal, 403 unless told */
  code?: number;
  /** Status.reason of a refusal */
  reason?: string;
  warnings?: string[];
  /** keys without a prefix: the API server prefixes them with the webhook's name */
  auditAnnotations?: Record<string, string>;
}
