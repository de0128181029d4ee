package quotasapi

// table is the whole API of Service Quotas, sorted by name (K99).
func table() []*operation {
	return []*operation{
		refused("AssociateServiceQuotaTemplate"),
		refused("CreateSupportCase"),
		refused("DeleteServiceQuotaIncreaseRequestFromTemplate"),
		refused("DisassociateServiceQuotaTemplate"),
		row("GetAWSDefaultServiceQuota", true, (*Service).getAWSDefaultServiceQuota),
		refused("GetAssociationForServiceQuotaTemplate"),
		refused("GetAutoManagementConfiguration"),
		refused("GetQuotaUtilizationReport"),
		row("GetRequestedServiceQuotaChange", true, (*Service).getRequestedServiceQuotaChange),
		row("GetServiceQuota", true, (*Service).getServiceQuota),
		refused("GetServiceQuotaIncreaseRequestFromTemplate"),
		row("ListAWSDefaultServiceQuotas", true, (*Service).listAWSDefaultServiceQuotas),
		row("ListRequestedServiceQuotaChangeHistory", true, (*Service).listRequestedServiceQuotaChangeHistory),
		row("ListRequestedServiceQuotaChangeHistoryByQuota", true, (*Service).listRequestedServiceQuotaChangeHistoryByQuota),
		refused("ListServiceQuotaIncreaseRequestsInTemplate"),
		row("ListServiceQuotas", true, (*Service).listServiceQuotas),
		row("ListServices", true, (*Service).listServices),
		refused("ListTagsForResource"),
		refused("PutServiceQuotaIncreaseRequestIntoTemplate"),
		row("RequestServiceQuotaIncrease", false, (*Service).requestServiceQuotaIncrease),
		refused("StartAutoManagement"),
		refused("StartQuotaUtilizationReport"),
		refused("StopAutoManagement"),
		refused("TagResource"),
		refused("UntagResource"),
		refused("UpdateAutoManagement"),
	}
}
