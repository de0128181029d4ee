package quotasapi

type serviceNamed struct {
	ServiceCode *string
	paging
}

type listServiceQuotasInput struct {
	serviceNamed
	QuotaCode *string
}

type listServiceQuotasOutput struct {
	Quotas []serviceQuota
	next
}

// listServiceQuotas implements ListServiceQuotas: the values that apply to the caller's
// account in the Region, sorted by code.
func (s *Service) listServiceQuotas(c *call, in *listServiceQuotasInput) (*listServiceQuotasOutput, error) {
	return s.listQuotas(c, &in.serviceNamed, in.QuotaCode, c.caller.Account())
}

// listAWSDefaultServiceQuotas implements ListAWSDefaultServiceQuotas: the values that AWS
// gives every account, whatever applies here.
func (s *Service) listAWSDefaultServiceQuotas(c *call, in *serviceNamed) (*listServiceQuotasOutput, error) {
	return s.listQuotas(c, in, nil, "")
}

func (s *Service) listQuotas(c *call, in *serviceNamed, code *string, account string) (*listServiceQuotasOutput, error) {
	if err := required("ServiceCode", in.ServiceCode); err != nil {
		return nil, err
	}
	c.shown = map[string]any{"serviceCode": *in.ServiceCode}
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	if *in.ServiceCode != serviceCode {
		return nil, errNoService()
	}
	var all []serviceQuota
	for i := range s.quotas {
		if e := &s.quotas[i]; code == nil || e.code == *code {
			all = append(all, s.describe(e, account, c.region))
		}
	}
	quotas, rest, err := page(in.paging, all)
	if err != nil {
		return nil, err
	}
	return &listServiceQuotasOutput{append([]serviceQuota{}, quotas...), rest}, nil
}

type getServiceQuotaOutput struct {
	Quota serviceQuota
}

// getServiceQuota implements GetServiceQuota.
func (s *Service) getServiceQuota(c *call, in *quotaNamed) (*getServiceQuotaOutput, error) {
	return s.getQuota(c, in, c.caller.Account())
}

// getAWSDefaultServiceQuota implements GetAWSDefaultServiceQuota.
func (s *Service) getAWSDefaultServiceQuota(c *call, in *quotaNamed) (*getServiceQuotaOutput, error) {
	return s.getQuota(c, in, "")
}

func (s *Service) getQuota(c *call, in *quotaNamed, account string) (*getServiceQuotaOutput, error) {
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	e, err := s.find(c, in)
	if err != nil {
		return nil, err
	}
	return &getServiceQuotaOutput{s.describe(e, account, c.region)}, nil
}

type listServicesOutput struct {
	Services []serviceInfo
	next
}

type serviceInfo struct {
	ServiceCode string
	ServiceName string
}

// listServices implements ListServices.
func (s *Service) listServices(c *call, in *paging) (*listServicesOutput, error) {
	if err := s.authorize(c, "*"); err != nil {
		return nil, err
	}
	services, rest, err := page(*in, []serviceInfo{{serviceCode, serviceName}})
	if err != nil {
		return nil, err
	}
	return &listServicesOutput{append([]serviceInfo{}, services...), rest}, nil
}
