// Generated from crds/policyrules.yaml by `npm run generate`. Do not edit.

import type { ResourceType } from '../../runtime/resource.ts';
import type { CustomResourceDefinition } from '../../runtime/schema.ts';

export const type: ResourceType = {
  "group": "cogniforge.dev",
  "version": "v1alpha1",
  "kind": "PolicyRule",
  "plural": "policyrules",
  "namespaced": false
};

export const crd: CustomResourceDefinition = {
  "apiVersion": "apiextensions.k8s.io/v1",
  "kind": "CustomResourceDefinition",
  "metadata": {
    "name": "policyrules.cogniforge.dev",
    "annotations": {
      "cogniforge.dev/service": "policy"
    }
  },
  "spec": {
    "group": "cogniforge.dev",
    "scope": "Cluster",
    "names": {
      "kind": "PolicyRule",
      "listKind": "PolicyRuleList",
      "plural": "policyrules",
      "singular": "policyrule",
      "shortNames": [
        "prule"
      ],
      "categories": [
        "cogniforge"
      ]
    },
    "versions": [
      {
        "name": "v1alpha1",
        "served": true,
        "storage": true,
        "subresources": {
          "status": {}
        },
        "additionalPrinterColumns": [
          {
            "name": "Ready",
            "type": "string",
            "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"
          },
          {
            "name": "Reason",
            "type": "string",
            "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"
          },
          {
            "name": "Mode",
            "type": "string",
            "jsonPath": ".spec.enforcementMode"
          },
          {
            "name": "Severity",
            "type": "string",
            "jsonPath": ".spec.severity"
          },
          {
            "name": "Enforced",
            "type": "string",
            "description": "Replicas that serve the rule, of all replicas.",
            "jsonPath": ".status.enforcedBy"
          },
          {
            "name": "Denials",
            "type": "integer",
            "jsonPath": ".status.statistics.denials"
          },
          {
            "name": "Age",
            "type": "date",
            "jsonPath": ".metadata.creationTimestamp"
          }
        ],
        "schema": {
          "openAPIV3Schema": {
            "description": "A rule in Rego that is evaluated when an object is created, changed or deleted.",
            "type": "object",
            "required": [
              "spec"
            ],
            "properties": {
              "apiVersion": {
                "description": "Version of the schema of this object.",
                "type": "string",
                "maxLength": 64
              },
              "kind": {
                "description": "Kind of this object.",
                "type": "string",
                "maxLength": 64
              },
              "metadata": {
                "type": "object",
                "properties": {
                  "name": {
                    "description": "Name of the rule, shown in every refusal.",
                    "type": "string",
                    "maxLength": 128
                  }
                }
              },
              "spec": {
                "description": "What is judged, and what happens when the rule is violated.",
                "type": "object",
                "required": [
                  "match"
                ],
                "x-kubernetes-validations": [
                  {
                    "rule": "has(self.rego) != has(self.regoQuery)",
                    "message": "exactly one of rego (a whole package) and regoQuery (one query) must be set",
                    "reason": "FieldValueInvalid"
                  },
                  {
                    "rule": "!has(self.libs) || has(self.rego)",
                    "message": "libs are imported by a rego package; they mean nothing to a regoQuery",
                    "reason": "FieldValueForbidden",
                    "fieldPath": ".libs"
                  }
                ],
                "properties": {
                  "suspend": {
                    "description": "When true the rule is not evaluated at all; its status is still kept.",
                    "type": "boolean",
                    "default": false
                  },
                  "description": {
                    "description": "What the rule is for, in a sentence a newcomer understands.",
                    "type": "string",
                    "maxLength": 1024
                  },
                  "severity": {
                    "description": "How bad a violation is; shown in refusals and reports.",
                    "type": "string",
                    "enum": [
                      "Critical",
                      "High",
                      "Medium",
                      "Low",
                      "Info"
                    ],
                    "default": "Medium"
                  },
                  "category": {
                    "description": "A free word to group rules by, such as Reliability.",
                    "type": "string",
                    "maxLength": 64
                  },
                  "violationMessage": {
                    "description": "What the user reads. Replaces the message of the Rego code where that gives none.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024
                  },
                  "match": {
                    "description": "Which objects are judged. All that is set must hold. What is in kube-system or in the operator's own namespace is judged only by a rule whose namespaces name that one letter by letter.",
                    "type": "object",
                    "required": [
                      "kinds"
                    ],
                    "x-kubernetes-validations": [
                      {
                        "rule": "!has(self.subresources) || !self.subresources.exists(s, s == \"status\" || s == \"log\")",
                        "message": "the status of an object and a log are never judged",
                        "reason": "FieldValueForbidden",
                        "fieldPath": ".subresources"
                      },
                      {
                        "rule": "!has(self.subresources) || (has(self.operations) && self.operations.exists(o, o == \"CONNECT\")) || !self.subresources.exists(s, s == \"exec\" || s == \"attach\" || s == \"portforward\" || s == \"proxy\")",
                        "message": "exec, attach, portforward and proxy are connected to: operations must include CONNECT",
                        "reason": "FieldValueInvalid",
                        "fieldPath": ".operations"
                      }
                    ],
                    "properties": {
                      "kinds": {
                        "description": "Groups and kinds; an object matches when one entry does.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 32,
                        "x-kubernetes-list-type": "atomic",
                        "items": {
                          "description": "One set of groups and kinds.",
                          "type": "object",
                          "required": [
                            "kinds"
                          ],
                          "properties": {
                            "apiGroups": {
                              "description": "API groups; \"\" is the core group, \"*\" is every group.",
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 32,
                              "default": [
                                "*"
                              ],
                              "x-kubernetes-list-type": "atomic",
                              "items": {
                                "description": "An API group.",
                                "type": "string",
                                "maxLength": 253,
                                "pattern": "^(\\*|[a-z0-9.-]*)$"
                              }
                            },
                            "kinds": {
                              "description": "Kinds such as Deployment; \"*\" is every kind.",
                              "type": "array",
                              "minItems": 1,
                              "maxItems": 64,
                              "x-kubernetes-list-type": "atomic",
                              "items": {
                                "description": "A kind.",
                                "type": "string",
                                "maxLength": 63,
                                "pattern": "^(\\*|[A-Z][A-Za-z0-9]*)$"
                              }
                            }
                          }
                        }
                      },
                      "scope": {
                        "description": "Namespaced or Cluster objects only; \"*\" is both.",
                        "type": "string",
                        "enum": [
                          "*",
                          "Namespaced",
                          "Cluster"
                        ],
                        "default": "*"
                      },
                      "namespaces": {
                        "description": "Only in these namespaces. A * at the start or the end stands for any text.",
                        "type": "array",
                        "maxItems": 128,
                        "x-kubernetes-list-type": "set",
                        "items": {
                          "description": "A namespace, or a pattern of one.",
                          "type": "string",
                          "maxLength": 65,
                          "pattern": "^\\*?[a-z0-9-]*\\*?$"
                        }
                      },
                      "excludedNamespaces": {
                        "description": "Never in these namespaces. A * at the start or the end stands for any text.",
                        "type": "array",
                        "maxItems": 128,
                        "x-kubernetes-list-type": "set",
                        "items": {
                          "description": "A namespace, or a pattern of one.",
                          "type": "string",
                          "maxLength": 65,
                          "pattern": "^\\*?[a-z0-9-]*\\*?$"
                        }
                      },
                      "labelSelector": {
                        "description": "Labels of the object.",
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "properties": {
                          "matchLabels": {
                            "description": "Labels with exactly these values.",
                            "type": "object",
                            "maxProperties": 64,
                            "additionalProperties": {
                              "description": "The value of a label.",
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "description": "Conditions on labels; all must hold.",
                            "type": "array",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "atomic",
                            "items": {
                              "description": "One condition on one label.",
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "properties": {
                                "key": {
                                  "description": "The label's key.",
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "description": "How the label's value relates to values.",
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "description": "Values for In and NotIn; empty for Exists and DoesNotExist.",
                                  "type": "array",
                                  "maxItems": 128,
                                  "x-kubernetes-list-type": "atomic",
                                  "items": {
                                    "description": "A label value.",
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "namespaceSelector": {
                        "description": "Labels of the object's namespace, or of the object when it is a Namespace.",
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "properties": {
                          "matchLabels": {
                            "description": "Labels with exactly these values.",
                            "type": "object",
                            "maxProperties": 64,
                            "additionalProperties": {
                              "description": "The value of a label.",
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "description": "Conditions on labels; all must hold.",
                            "type": "array",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "atomic",
                            "items": {
                              "description": "One condition on one label.",
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "properties": {
                                "key": {
                                  "description": "The label's key.",
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "description": "How the label's value relates to values.",
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "description": "Values for In and NotIn; empty for Exists and DoesNotExist.",
                                  "type": "array",
                                  "maxItems": 128,
                                  "x-kubernetes-list-type": "atomic",
                                  "items": {
                                    "description": "A label value.",
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "name": {
                        "description": "Name of the object. A * at the start or the end stands for any text.",
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253
                      },
                      "operations": {
                        "description": "Which operations are judged. CONNECT is to a subresource such as exec, of the kinds named above: to those that subresources lists, or to any of them when that is absent.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 4,
                        "default": [
                          "CREATE",
                          "UPDATE"
                        ],
                        "x-kubernetes-list-type": "set",
                        "items": {
                          "description": "An operation, in the words of the admission API.",
                          "type": "string",
                          "enum": [
                            "CREATE",
                            "UPDATE",
                            "DELETE",
                            "CONNECT"
                          ]
                        }
                      },
                      "subresources": {
                        "description": "Subresources of the kinds that are judged beside the object itself, such as scale, eviction or exec; \"*\" is every one but status. input.review.subResource tells which it is. The ephemeralcontainers of a Pod and its resize are judged with CREATE and UPDATE of the Pod and need not be listed.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 16,
                        "x-kubernetes-list-type": "set",
                        "items": {
                          "description": "A subresource as it is written in a URL.",
                          "type": "string",
                          "maxLength": 63,
                          "pattern": "^(\\*|[a-z][a-z0-9-]*)$"
                        }
                      },
                      "subjects": {
                        "description": "Whose requests are judged; one entry has to fit.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 64,
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": [
                          "kind",
                          "name",
                          "namespace"
                        ],
                        "items": {
                          "description": "Users, a group or service accounts.",
                          "type": "object",
                          "required": [
                            "kind",
                            "name"
                          ],
                          "x-kubernetes-validations": [
                            {
                              "rule": "(self.kind == 'ServiceAccount') == (has(self.__namespace__) && self.__namespace__ != '')",
                              "message": "a ServiceAccount has a namespace, a User and a Group have none",
                              "reason": "FieldValueInvalid",
                              "fieldPath": ".namespace"
                            }
                          ],
                          "properties": {
                            "kind": {
                              "description": "What the name is the name of.",
                              "type": "string",
                              "enum": [
                                "User",
                                "Group",
                                "ServiceAccount"
                              ]
                            },
                            "name": {
                              "description": "The name. A * at the start or the end stands for any text.",
                              "type": "string",
                              "minLength": 1,
                              "maxLength": 253
                            },
                            "namespace": {
                              "description": "Namespace of a ServiceAccount. A * at the start or the end stands for any text.",
                              "type": "string",
                              "default": "",
                              "maxLength": 65,
                              "pattern": "^\\*?[a-z0-9-]*\\*?$"
                            }
                          }
                        }
                      },
                      "excludeSubjects": {
                        "description": "Who is never judged, though subjects may name them.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 64,
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": [
                          "kind",
                          "name",
                          "namespace"
                        ],
                        "items": {
                          "description": "Users, a group or service accounts.",
                          "type": "object",
                          "required": [
                            "kind",
                            "name"
                          ],
                          "x-kubernetes-validations": [
                            {
                              "rule": "(self.kind == 'ServiceAccount') == (has(self.__namespace__) && self.__namespace__ != '')",
                              "message": "a ServiceAccount has a namespace, a User and a Group have none",
                              "reason": "FieldValueInvalid",
                              "fieldPath": ".namespace"
                            }
                          ],
                          "properties": {
                            "kind": {
                              "description": "What the name is the name of.",
                              "type": "string",
                              "enum": [
                                "User",
                                "Group",
                                "ServiceAccount"
                              ]
                            },
                            "name": {
                              "description": "The name. A * at the start or the end stands for any text.",
                              "type": "string",
                              "minLength": 1,
                              "maxLength": 253
                            },
                            "namespace": {
                              "description": "Namespace of a ServiceAccount. A * at the start or the end stands for any text.",
                              "type": "string",
                              "default": "",
                              "maxLength": 65,
                              "pattern": "^\\*?[a-z0-9-]*\\*?$"
                            }
                          }
                        }
                      }
                    }
                  },
                  "matchConditions": {
                    "description": "Conditions in CEL that the API server evaluates before it asks us, over object, oldObject, request and authorizer; all must be true. A rule that has some gets a webhook of its own, so that an expression that fails concerns this rule alone; failurePolicy says what happens then.",
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 32,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": [
                      "name"
                    ],
                    "items": {
                      "description": "One condition.",
                      "type": "object",
                      "required": [
                        "name",
                        "expression"
                      ],
                      "properties": {
                        "name": {
                          "description": "Name of the condition.",
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 63,
                          "pattern": "^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"
                        },
                        "expression": {
                          "description": "CEL that is true or false.",
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 4096
                        }
                      }
                    }
                  },
                  "expand": {
                    "description": "Auto has a rule about Pods judge the pod template of a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob too, as the Pod that would be made of it, unless the rule names that kind itself. Such a template counts as a Pod that is created, in the parent's namespace and under its name.",
                    "type": "string",
                    "enum": [
                      "Auto",
                      "Off"
                    ],
                    "default": "Auto"
                  },
                  "existingViolations": {
                    "description": "What becomes of an UPDATE for violations that the object had before, told by their words and place. Allow passes over them, Warn makes warnings of them, Block refuses for them as for new ones.",
                    "type": "string",
                    "enum": [
                      "Block",
                      "Warn",
                      "Allow"
                    ],
                    "default": "Allow"
                  },
                  "enforcementMode": {
                    "description": "Enforce refuses, Warn lets pass with a warning, Audit lets pass and notes it in the audit log.",
                    "type": "string",
                    "enum": [
                      "Enforce",
                      "Warn",
                      "Audit"
                    ],
                    "default": "Enforce"
                  },
                  "enforcement": {
                    "description": "What a violation does at single points, where that is not what enforcementMode says.",
                    "type": "array",
                    "maxItems": 4,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": [
                      "point"
                    ],
                    "items": {
                      "description": "One point.",
                      "type": "object",
                      "required": [
                        "point",
                        "action"
                      ],
                      "properties": {
                        "point": {
                          "description": "Where the rule is evaluated: at Admission, in an Audit of what is stored, by GitOps before it applies, by the CLI.",
                          "type": "string",
                          "enum": [
                            "Admission",
                            "Audit",
                            "GitOps",
                            "CLI"
                          ]
                        },
                        "action": {
                          "description": "As enforcementMode; Off does not evaluate the rule at this point.",
                          "type": "string",
                          "enum": [
                            "Enforce",
                            "Warn",
                            "Audit",
                            "Off"
                          ]
                        }
                      }
                    }
                  },
                  "failurePolicy": {
                    "description": "What happens to the object when the rule cannot be evaluated. Fail refuses it.",
                    "type": "string",
                    "enum": [
                      "Fail",
                      "Ignore"
                    ],
                    "default": "Ignore"
                  },
                  "timeoutMilliseconds": {
                    "description": "One evaluation that takes longer is ended and counts as failed.",
                    "type": "integer",
                    "format": "int32",
                    "minimum": 10,
                    "maximum": 10000,
                    "default": 1000
                  },
                  "parameters": {
                    "description": "Handed to the Rego code as input.parameters.",
                    "type": "object",
                    "maxProperties": 256,
                    "x-kubernetes-preserve-unknown-fields": true
                  },
                  "parametersSchema": {
                    "description": "What parameters must look like: a structural schema, as in a CRD. Its defaults are filled in before the Rego code sees the parameters; a field that it does not know is refused.",
                    "type": "object",
                    "maxProperties": 64,
                    "x-kubernetes-preserve-unknown-fields": true
                  },
                  "regoVersion": {
                    "description": "Syntax of the Rego code. V1 is what OPA 1.x reads by default.",
                    "type": "string",
                    "enum": [
                      "V0",
                      "V1"
                    ],
                    "default": "V1"
                  },
                  "rego": {
                    "description": "A Rego package that defines violation, or else deny, warn or allow. It reads the AdmissionRequest as input.review and the parameters as input.parameters.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 65536
                  },
                  "libs": {
                    "description": "Rego packages that the rego code imports, each a whole module of a package of its own.",
                    "type": "array",
                    "maxItems": 8,
                    "x-kubernetes-list-type": "atomic",
                    "items": {
                      "description": "A Rego module.",
                      "type": "string",
                      "minLength": 1,
                      "maxLength": 32768
                    }
                  },
                  "regoQuery": {
                    "description": "One Rego query over the object, which is input. The rule is violated when the query holds; a wildcard [_] under not means \"for any element\".",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 8192
                  },
                  "tests": {
                    "description": "Cases that the rule must judge as they say. A version of the rule that does not is refused, and never put in force.",
                    "type": "array",
                    "maxItems": 64,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": [
                      "name"
                    ],
                    "items": {
                      "description": "One case.",
                      "type": "object",
                      "required": [
                        "name",
                        "expect"
                      ],
                      "x-kubernetes-validations": [
                        {
                          "rule": "has(self.object) != has(self.review)",
                          "message": "exactly one of object (created as it is) and review (a whole AdmissionRequest) must be set",
                          "reason": "FieldValueInvalid"
                        }
                      ],
                      "properties": {
                        "name": {
                          "description": "What a failure is told by.",
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 128
                        },
                        "object": {
                          "description": "The object that is judged, as if it were created; by a rule that does not judge CREATE, as if the first of spec.match.operations were done to it.",
                          "type": "object",
                          "maxProperties": 256,
                          "x-kubernetes-preserve-unknown-fields": true
                        },
                        "review": {
                          "description": "The AdmissionRequest that is judged, as in AdmissionReview.request.",
                          "type": "object",
                          "maxProperties": 64,
                          "x-kubernetes-preserve-unknown-fields": true
                        },
                        "parameters": {
                          "description": "Take the place of spec.parameters in this case.",
                          "type": "object",
                          "maxProperties": 256,
                          "x-kubernetes-preserve-unknown-fields": true
                        },
                        "expect": {
                          "description": "Violation (at least one), NoViolation, or how many exactly.",
                          "x-kubernetes-int-or-string": true,
                          "maxLength": 16,
                          "x-kubernetes-validations": [
                            {
                              "rule": "type(self) == int ? self >= 0 && self <= 1000 : self in [\"Violation\", \"NoViolation\"]",
                              "message": "must be Violation, NoViolation or a number from 0 to 1000",
                              "reason": "FieldValueInvalid"
                            }
                          ]
                        },
                        "message": {
                          "description": "An RE2 expression; only violations in whose message it is found somewhere count for expect.",
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 512
                        }
                      }
                    }
                  }
                }
              },
              "status": {
                "description": "What the operator knows about the rule. Written by the operator only.",
                "type": "object",
                "default": {
                  "observedGeneration": -1
                },
                "properties": {
                  "observedGeneration": {
                    "description": "Generation of the spec that this status is about; -1 before the first look.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": -1
                  },
                  "conditions": {
                    "description": "Ready, and what it rests on: Compiled, Served, and ParametersValid and TestsPassed where the spec has parametersSchema and tests; Stalled only while true.",
                    "type": "array",
                    "maxItems": 16,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": [
                      "type"
                    ],
                    "items": {
                      "description": "One condition.",
                      "type": "object",
                      "required": [
                        "type",
                        "status",
                        "reason",
                        "message",
                        "lastTransitionTime"
                      ],
                      "properties": {
                        "type": {
                          "description": "Name of the condition.",
                          "type": "string",
                          "maxLength": 64
                        },
                        "status": {
                          "description": "Whether the condition holds.",
                          "type": "string",
                          "enum": [
                            "True",
                            "False",
                            "Unknown"
                          ]
                        },
                        "reason": {
                          "description": "Why, in one word for programs.",
                          "type": "string",
                          "maxLength": 128
                        },
                        "message": {
                          "description": "Why, in a sentence for people.",
                          "type": "string",
                          "maxLength": 32768
                        },
                        "observedGeneration": {
                          "description": "Generation of the spec that the condition is about.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        },
                        "lastTransitionTime": {
                          "description": "When status last changed.",
                          "type": "string",
                          "format": "date-time",
                          "maxLength": 64
                        }
                      }
                    }
                  },
                  "compiledRego": {
                    "description": "The Rego module in force, as it was compiled; for a regoQuery the module made of it.",
                    "type": "string",
                    "maxLength": 131072
                  },
                  "compiledLibs": {
                    "description": "The libs in force.",
                    "type": "array",
                    "maxItems": 8,
                    "x-kubernetes-list-type": "atomic",
                    "items": {
                      "description": "A Rego module.",
                      "type": "string",
                      "maxLength": 32768
                    }
                  },
                  "compiledFrom": {
                    "description": "Whether the module in force reads the AdmissionRequest or the object as its input.",
                    "type": "string",
                    "enum": [
                      "Rego",
                      "RegoQuery"
                    ]
                  },
                  "compiledRegoVersion": {
                    "description": "Syntax of the module in force.",
                    "type": "string",
                    "enum": [
                      "V0",
                      "V1"
                    ]
                  },
                  "compiledGeneration": {
                    "description": "Generation of the spec that the module in force was made of.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0
                  },
                  "compiledParameters": {
                    "description": "The parameters in force, with the defaults of the schema.",
                    "type": "object",
                    "maxProperties": 256,
                    "x-kubernetes-preserve-unknown-fields": true
                  },
                  "compilerVersion": {
                    "description": "Version of OPA that compiled the module in force.",
                    "type": "string",
                    "maxLength": 64
                  },
                  "entrypoint": {
                    "description": "The rule of the module that gives the verdict.",
                    "type": "string",
                    "maxLength": 64
                  },
                  "enforcedBy": {
                    "description": "Replicas that serve this generation, of all replicas, such as 2/2.",
                    "type": "string",
                    "maxLength": 16
                  },
                  "replicas": {
                    "description": "What each replica serves and has counted since it started.",
                    "type": "array",
                    "maxItems": 64,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": [
                      "identity"
                    ],
                    "items": {
                      "description": "One replica.",
                      "type": "object",
                      "required": [
                        "identity"
                      ],
                      "properties": {
                        "identity": {
                          "description": "Name of the replica's process.",
                          "type": "string",
                          "maxLength": 253
                        },
                        "servedGeneration": {
                          "description": "Generation of the rule that this replica evaluates; 0 when none.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        },
                        "evaluations": {
                          "description": "Evaluations, dry runs not counted.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        },
                        "denials": {
                          "description": "Requests refused.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        },
                        "warnings": {
                          "description": "Requests that passed with a warning or an audit note.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        },
                        "errors": {
                          "description": "Evaluations that failed.",
                          "type": "integer",
                          "format": "int64",
                          "minimum": 0
                        }
                      }
                    }
                  },
                  "statistics": {
                    "description": "Counts over the life of the rule, of all replicas. Updated every half minute.",
                    "type": "object",
                    "properties": {
                      "evaluations": {
                        "description": "Evaluations, dry runs not counted.",
                        "type": "integer",
                        "format": "int64",
                        "minimum": 0
                      },
                      "denials": {
                        "description": "Requests refused.",
                        "type": "integer",
                        "format": "int64",
                        "minimum": 0
                      },
                      "warnings": {
                        "description": "Requests that passed with a warning or an audit note.",
                        "type": "integer",
                        "format": "int64",
                        "minimum": 0
                      },
                      "errors": {
                        "description": "Evaluations that failed.",
                        "type": "integer",
                        "format": "int64",
                        "minimum": 0
                      }
                    }
                  },
                  "lastError": {
                    "description": "The last thing that went wrong with this rule.",
                    "type": "object",
                    "required": [
                      "message"
                    ],
                    "properties": {
                      "at": {
                        "description": "When it happened.",
                        "type": "string",
                        "format": "date-time",
                        "maxLength": 64
                      },
                      "message": {
                        "description": "What went wrong.",
                        "type": "string",
                        "maxLength": 4096
                      }
                    }
                  },
                  "lastDecision": {
                    "description": "Why the status is what it is.",
                    "type": "object",
                    "properties": {
                      "reason": {
                        "description": "The deciding reason, in one word.",
                        "type": "string",
                        "maxLength": 128
                      },
                      "summary": {
                        "description": "The rules of the decision and their results.",
                        "type": "string",
                        "maxLength": 2048
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    ]
  }
};
