package optouts

func fixable(_ []Finding) {}
