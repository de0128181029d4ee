package iamsim

import (
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// deletionTask is a finished deletion of a service-linked role, kept for its status.
type deletionTask struct {
	ID      string // task/aws-service-role/SERVICE/ROLE/UUID (I57)
	Account string
	Ended   time.Time
}

// Tasks are remembered for a day after their end (own choice).
const tasksKept = 24 * time.Hour

const taskPath = "task/aws-service-role/"

type deletionTaskResult struct{ DeletionTaskId string }

// deleteServiceLinkedRole is done at once: no service here uses such a role.
func deleteServiceLinkedRole(s *Service, c *call) (any, error) {
	name := c.form.name("RoleName", 64)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	task := &deletionTask{Account: c.account(), Ended: c.now}
	err := s.change(c.ctx, func(ch *change) error {
		role, err := ch.find(roleKind, c.account(), name)
		if err != nil {
			return err
		}
		if role.Service == "" {
			return noSuchEntity(roleKind, name) // I57
		}
		task.ID = taskPath + role.Service + "/" + role.Name + "/" + s.random.requestID()
		ch.deleteEntity(role)
		ch.putTask(task)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &deletionTaskResult{task.ID}, nil
}

// putTask remembers a task and forgets some old ones.
func (ch *change) putTask(t *deletionTask) {
	forgotten := 0
	for id, old := range ch.tasks {
		if t.Ended.Sub(old.Ended) > tasksKept && forgotten < sessionsChecked {
			forgotten++
			ch.add(taskPrefix+id, nil, func(im *image) { delete(im.tasks, id) })
		}
	}
	ch.add(taskPrefix+t.ID, encode(t), func(im *image) { im.tasks[t.ID] = t })
}

// taskTarget is the role that a deletion was about.
func taskTarget(_ *image, c *call) target {
	path := strings.TrimPrefix(c.form.get("DeletionTaskId"), taskPath)
	path = path[:max(0, strings.LastIndexByte(path, '/'))]
	arn := entityARN(roleKind, c.account(), serviceRolePath, path)
	return target{arn: arn, text: arn, account: c.account()}
}

type deletionStatusResult struct{ Status string }

func getServiceLinkedRoleDeletionStatus(s *Service, c *call) (any, error) {
	id := c.form.text("DeletionTaskId", 1, 1000)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return &deletionStatusResult{"SUCCEEDED"}, s.view(func(im *image) error {
		if t := im.tasks[id]; t == nil || t.Account != c.account() {
			return failure.Newf("NoSuchEntity", "Deletion Task Id %s was not found.", id)
		}
		return nil
	})
}
