// Generated from crds/policyrules.yaml by `npm run generate`. Do not edit.

import type { Resource } from '../../runtime/resource.ts';

/**
 * What is judged, and what happens when the rule is violated.
 */
export interface PolicyRuleSpec {
  /**
   * When true the rule is not evaluated at all; its status is still kept.
   */
  suspend: boolean;
  /**
   * What the rule is for, in a sentence a newcomer understands.
   */
  description?: string;
  /**
   * How bad a violation is; shown in refusals and reports.
   */
  severity: 'Critical' | 'High' | 'Medium' | 'Low' | 'Info';
  /**
   * A free word to group rules by, such as Reliability.
   */
  category?: string;
  /**
   * What the user reads. Replaces the message of the Rego code where that gives none.
   */
  violationMessage?: string;
  /**
   * Which objects are judged. All that is set must hold. What is in kube-system or in the operator's own namespace is judged only by a rule whose namespaces name that one letter by letter.
   */
  match: {
    /**
     * Groups and kinds; an object matches when one entry does.
     *
     * Items: One set of groups and kinds.
     */
    kinds: {
      /**
       * API groups; "" is the core group, "*" is every group.
       *
       * Items: An API group.
       */
      apiGroups: string[];
      /**
       * Kinds such as Deployment; "*" is every kind.
       *
       * Items: A kind.
       */
      kinds: string[];
    }[];
    /**
     * Namespaced or Cluster objects only; "*" is both.
     */
    scope: '*' | 'Namespaced' | 'Cluster';
    /**
     * Only in these namespaces. A * at the start or the end stands for any text.
     *
     * Items: A namespace, or a pattern of one.
     */
    namespaces?: string[];
    /**
     * Never in these namespaces. A * at the start or the end stands for any text.
     *
     * Items: A namespace, or a pattern of one.
     */
    excludedNamespaces?: string[];
    /**
     * Labels of the object.
     */
    labelSelector?: {
      /**
       * Labels with exactly these values.
       */
      matchLabels?: {
        /**
         * The value of a label.
         */
        [k: string]: string;
      };
      /**
       * Conditions on labels; all must hold.
       *
       * Items: One condition on one label.
       */
      matchExpressions?: {
        /**
         * The label's key.
         */
        key: string;
        /**
         * How the label's value relates to values.
         */
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        /**
         * Values for In and NotIn; empty for Exists and DoesNotExist.
         *
         * Items: A label value.
         */
        values?: string[];
      }[];
    };
    /**
     * Labels of the object's namespace, or of the object when it is a Namespace.
     */
    namespaceSelector?: {
      /**
       * Labels with exactly these values.
       */
      matchLabels?: {
        /**
         * The value of a label.
         */
        [k: string]: string;
      };
      /**
       * Conditions on labels; all must hold.
       *
       * Items: One condition on one label.
       */
      matchExpressions?: {
        /**
         * The label's key.
         */
        key: string;
        /**
         * How the label's value relates to values.
         */
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        /**
         * Values for In and NotIn; empty for Exists and DoesNotExist.
         *
         * Items: A label value.
         */
        values?: string[];
      }[];
    };
    /**
     * Name of the object. A * at the start or the end stands for any text.
     */
    name?: string;
    /**
     * Which operations are judged. CONNECT is to a subresource such as exec, of the kinds named above: to those that subresources lists, or to any of them when that is absent.
     *
     * Items: An operation, in the words of the admission API.
     */
    operations: ('CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT')[];
    /**
     * Subresources of the kinds that are judged beside the object itself, such as scale, eviction or exec; "*" is every one but status. input.review.subResource tells which it is. The ephemeralcontainers of a Pod and its resize are judged with CREATE and UPDATE of the Pod and need not be listed.
     *
     * Items: A subresource as it is written in a URL.
     */
    subresources?: string[];
    /**
     * Whose requests are judged; one entry has to fit.
     *
     * Items: Users, a group or service accounts.
     */
    subjects?: {
      /**
       * What the name is the name of.
       */
      kind: 'User' | 'Group' | 'ServiceAccount';
      /**
       * The name. A * at the start or the end stands for any text.
       */
      name: string;
      /**
       * Namespace of a ServiceAccount. A * at the start or the end stands for any text.
       */
      namespace: string;
    }[];
    /**
     * Who is never judged, though subjects may name them.
     *
     * Items: Users, a group or service accounts.
     */
    excludeSubjects?: {
      /**
       * What the name is the name of.
       */
      kind: 'User' | 'Group' | 'ServiceAccount';
      /**
       * The name. A * at the start or the end stands for any text.
       */
      name: string;
      /**
       * Namespace of a ServiceAccount. A * at the start or the end stands for any text.
       */
      namespace: string;
    }[];
  };
  /**
   * Conditions in CEL that the API server evaluates before it asks us, over object, oldObject, request and authorizer; all must be true. A rule that has some gets a webhook of its own, so that an expression that fails concerns this rule alone; failurePolicy says what happens then.
   *
   * Items: One condition.
   */
  matchConditions?: {
    /**
     * Name of the condition.
     */
    name: string;
    /**
     * CEL that is true or false.
     */
    expression: string;
  }[];
  /**
   * Auto has a rule about Pods judge the pod template of a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob too, as the Pod that would be made of it, unless the rule names that kind itself. Such a template counts as a Pod that is created, in the parent's namespace and under its name.
   */
  expand: 'Auto' | 'Off';
  /**
   * What becomes of an UPDATE for violations that the object had before, told by their words and place. Allow passes over them, Warn makes warnings of them, Block refuses for them as for new ones.
   */
  existingViolations: 'Block' | 'Warn' | 'Allow';
  /**
   * Enforce refuses, Warn lets pass with a warning, Audit lets pass and notes it in the audit log.
   */
  enforcementMode: 'Enforce' | 'Warn' | 'Audit';
  /**
   * What a violation does at single points, where that is not what enforcementMode says.
   *
   * Items: One point.
   */
  enforcement?: {
    /**
     * Where the rule is evaluated: at Admission, in an Audit of what is stored, by GitOps before it applies, by the CLI.
     */
    point: 'Admission' | 'Audit' | 'GitOps' | 'CLI';
    /**
     * As enforcementMode; Off does not evaluate the rule at this point.
     */
    action: 'Enforce' | 'Warn' | 'Audit' | 'Off';
  }[];
  /**
   * What happens to the object when the rule cannot be evaluated. Fail refuses it.
   */
  failurePolicy: 'Fail' | 'Ignore';
  /**
   * One evaluation that takes longer is ended and counts as failed.
   */
  timeoutMilliseconds: number;
  /**
   * Handed to the Rego code as input.parameters.
   */
  parameters?: {
    [k: string]: unknown;
  };
  /**
   * What parameters must look like: a structural schema, as in a CRD. Its defaults are filled in before the Rego code sees the parameters; a field that it does not know is refused.
   */
  parametersSchema?: {
    [k: string]: unknown;
  };
  /**
   * Syntax of the Rego code. V1 is what OPA 1.x reads by default.
   */
  regoVersion: 'V0' | 'V1';
  /**
   * A Rego package that defines violation, or else deny, warn or allow. It reads the AdmissionRequest as input.review and the parameters as input.parameters.
   */
  rego?: string;
  /**
   * Rego packages that the rego code imports, each a whole module of a package of its own.
   *
   * Items: A Rego module.
   */
  libs?: string[];
  /**
   * One Rego query over the object, which is input. The rule is violated when the query holds; a wildcard [_] under not means "for any element".
   */
  regoQuery?: string;
  /**
   * Cases that the rule must judge as they say. A version of the rule that does not is refused, and never put in force.
   *
   * Items: One case.
   */
  tests?: {
    /**
     * What a failure is told by.
     */
    name: string;
    /**
     * The object that is judged, as if it were created; by a rule that does not judge CREATE, as if the first of spec.match.operations were done to it.
     */
    object?: {
      [k: string]: unknown;
    };
    /**
     * The AdmissionRequest that is judged, as in AdmissionReview.request.
     */
    review?: {
      [k: string]: unknown;
    };
    /**
     * Take the place of spec.parameters in this case.
     */
    parameters?: {
      [k: string]: unknown;
    };
    /**
     * Violation (at least one), NoViolation, or how many exactly.
     */
    expect: number | string;
    /**
     * An RE2 expression; only violations in whose message it is found somewhere count for expect.
     */
    message?: string;
  }[];
}

/**
 * What the operator knows about the rule. Written by the operator only.
 */
export interface PolicyRuleStatus {
  /**
   * Generation of the spec that this status is about; -1 before the first look.
   */
  observedGeneration?: number;
  /**
   * Ready, and what it rests on: Compiled, Served, and ParametersValid and TestsPassed where the spec has parametersSchema and tests; Stalled only while true.
   *
   * Items: One condition.
   */
  conditions?: {
    /**
     * Name of the condition.
     */
    type: string;
    /**
     * Whether the condition holds.
     */
    status: 'True' | 'False' | 'Unknown';
    /**
     * Why, in one word for programs.
     */
    reason: string;
    /**
     * Why, in a sentence for people.
     */
    message: string;
    /**
     * Generation of the spec that the condition is about.
     */
    observedGeneration?: number;
    /**
     * When status last changed.
     */
    lastTransitionTime: string;
  }[];
  /**
   * The Rego module in force, as it was compiled; for a regoQuery the module made of it.
   */
  compiledRego?: string;
  /**
   * The libs in force.
   *
   * Items: A Rego module.
   */
  compiledLibs?: string[];
  /**
   * Whether the module in force reads the AdmissionRequest or the object as its input.
   */
  compiledFrom?: 'Rego' | 'RegoQuery';
  /**
   * Syntax of the module in force.
   */
  compiledRegoVersion?: 'V0' | 'V1';
  /**
   * Generation of the spec that the module in force was made of.
   */
  compiledGeneration?: number;
  /**
   * The parameters in force, with the defaults of the schema.
   */
  compiledParameters?: {
    [k: string]: unknown;
  };
  /**
   * Version of OPA that compiled the module in force.
   */
  compilerVersion?: string;
  /**
   * The rule of the module that gives the verdict.
   */
  entrypoint?: string;
  /**
   * Replicas that serve this generation, of all replicas, such as 2/2.
   */
  enforcedBy?: string;
  /**
   * What each replica serves and has counted since it started.
   *
   * Items: One replica.
   */
  replicas?: {
    /**
     * Name of the replica's process.
     */
    identity: string;
    /**
     * Generation of the rule that this replica evaluates; 0 when none.
     */
    servedGeneration?: number;
    /**
     * Evaluations, dry runs not counted.
     */
    evaluations?: number;
    /**
     * Requests refused.
     */
    denials?: number;
    /**
     * Requests that passed with a warning or an audit note.
     */
    warnings?: number;
    /**
     * Evaluations that failed.
     */
    errors?: number;
  }[];
  /**
   * Counts over the life of the rule, of all replicas. Updated every half minute.
   */
  statistics?: {
    /**
     * Evaluations, dry runs not counted.
     */
    evaluations?: number;
    /**
     * Requests refused.
     */
    denials?: number;
    /**
     * Requests that passed with a warning or an audit note.
     */
    warnings?: number;
    /**
     * Evaluations that failed.
     */
    errors?: number;
  };
  /**
   * The last thing that went wrong with this rule.
   */
  lastError?: {
    /**
     * When it happened.
     */
    at?: string;
    /**
     * What went wrong.
     */
    message: string;
  };
  /**
   * Why the status is what it is.
   */
  lastDecision?: {
    /**
     * The deciding reason, in one word.
     */
    reason?: string;
    /**
     * The rules of the decision and their results.
     */
    summary?: string;
  };
}

/** A rule in Rego that is evaluated when an object is created, changed or deleted. */
export type PolicyRule = Resource<PolicyRuleSpec, PolicyRuleStatus>;
