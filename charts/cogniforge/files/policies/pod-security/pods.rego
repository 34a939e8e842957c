# What every rule of the pack reads: the Pod that an object is or makes, and its containers.
package lib.pods

workload := input.review.object

# The Pod template: of a Pod the Pod itself. Undefined where nothing is to be judged.
template := template_of(workload) if changed

changed if input.review.operation != "UPDATE"

# A Pod's security is fixed at its creation. A workload's template that stays the same was judged when it came, and its
# controller must be able to go on with it: to scale it down, for one.
changed if {
	workload.kind != "Pod"
	template_of(workload) != template_of(input.review.oldObject)
}

# Whoever debugs a Pod adds a container to it.
changed if {
	workload.kind == "Pod"
	workload.spec.ephemeralContainers != object.get(input.review.oldObject.spec, "ephemeralContainers", [])
}

template_of(found) := found if found.kind == "Pod"

template_of(found) := found.spec.jobTemplate.spec.template if found.kind == "CronJob"

template_of(found) := found.spec.template if not found.kind in {"Pod", "CronJob"}

path := ["spec"] if workload.kind == "Pod"

path := ["spec", "jobTemplate", "spec", "template", "spec"] if workload.kind == "CronJob"

path := ["spec", "template", "spec"] if not workload.kind in {"Pod", "CronJob"}

spec := template.spec

windows if spec.os.name == "windows"

# A Pod in a user namespace of its own: root in it is nobody on the node.
user_namespace if spec.hostUsers == false

containers contains {"name": container.name, "spec": container, "path": array.concat(path, [field, at])} if {
	some field in ["initContainers", "containers", "ephemeralContainers"]
	some at, container in spec[field]
}

# Every securityContext: the Pod's and those of its containers.
contexts contains {"who": "the Pod", "context": spec.securityContext, "path": path}

contexts contains {
	"who": sprintf("container %q", [container.name]),
	"context": container.spec.securityContext,
	"path": container.path,
} if {
	some container in containers
}
